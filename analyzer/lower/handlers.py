# SPDX-License-Identifier: GPL-2.0-only
"""Which function lowers which kind of syntax.

In: nothing. Out: `install()`, which fills `Lowering`'s tables.
"""

from __future__ import annotations

from pycparser import c_ast

from analyzer.frontend import nodes
from analyzer.lower import assembly, calls, conditions, declarations, expressions, jumps, places, statements
from analyzer.lower.context import Lowering


def install() -> None:
    """Fill the tables of `Lowering`."""
    Lowering.values.update(_VALUES)
    Lowering.places.update(_PLACES)
    Lowering.effects.update(_EFFECTS)
    Lowering.conditions.update(_CONDITIONS)
    Lowering.statements.update(_STATEMENTS)


_VALUES = {
    c_ast.ArrayRef: places.value_of_place,
    c_ast.Assignment: expressions.value_of_assignment,
    c_ast.BinaryOp: expressions.value_of_binary,
    c_ast.Cast: expressions.value_of_cast,
    c_ast.Compound: statements.value_of_block,
    c_ast.CompoundLiteral: places.value_of_place,
    c_ast.Constant: expressions.value_of_literal,
    c_ast.ExprList: expressions.value_of_list,
    c_ast.FuncCall: calls.value_of_call,
    c_ast.GenericSelection: expressions.value_of_chosen,
    c_ast.ID: places.value_of_name,
    c_ast.StructRef: places.value_of_place,
    c_ast.TernaryOp: conditions.value_of_ternary,
    c_ast.UnaryOp: expressions.value_of_unary,
    nodes.BuiltinTypesCompatible: expressions.value_of_constant,
    nodes.ChooseExpr: expressions.value_of_chosen,
    nodes.LabelAddress: expressions.value_of_label,
}
_PLACES = {
    c_ast.ArrayRef: places.place_of_element,
    c_ast.CompoundLiteral: places.place_of_literal,
    c_ast.Constant: places.place_of_text,
    c_ast.ExprList: places.place_of_list,
    c_ast.ID: places.place_of_name,
    c_ast.GenericSelection: places.place_of_chosen,
    c_ast.StructRef: places.place_of_member,
    nodes.ChooseExpr: places.place_of_chosen,
    c_ast.UnaryOp: places.place_of_unary,
}
_EFFECTS = {
    c_ast.ArrayRef: expressions.effect_of_element,
    c_ast.Assignment: expressions.effect_of_assignment,
    c_ast.BinaryOp: expressions.effect_of_operands,
    c_ast.Cast: expressions.effect_of_cast,
    c_ast.Compound: statements.lower_compound,
    c_ast.Constant: expressions.no_effect,
    c_ast.ExprList: expressions.effect_of_list,
    c_ast.FuncCall: calls.effect_of_call,
    c_ast.GenericSelection: expressions.effect_of_chosen,
    c_ast.ID: expressions.no_effect,
    c_ast.StructRef: expressions.effect_of_member,
    c_ast.TernaryOp: conditions.effect_of_ternary,
    c_ast.UnaryOp: expressions.effect_of_unary,
    nodes.BuiltinTypesCompatible: expressions.no_effect,
    nodes.ChooseExpr: expressions.effect_of_chosen,
    nodes.LabelAddress: expressions.no_effect,
}
_CONDITIONS = {
    c_ast.BinaryOp: conditions.condition_of_binary,
    c_ast.Cast: conditions.condition_of_cast,
    c_ast.Compound: statements.condition_of_block,
    c_ast.ExprList: conditions.condition_of_list,
    c_ast.FuncCall: conditions.condition_of_call,
    c_ast.GenericSelection: conditions.condition_of_chosen,
    c_ast.TernaryOp: conditions.condition_of_ternary,
    c_ast.UnaryOp: conditions.condition_of_unary,
    nodes.ChooseExpr: conditions.condition_of_chosen,
}
_STATEMENTS = {
    c_ast.AttributeDeclaration: statements.lower_nothing,
    c_ast.AttributedStatement: statements.lower_attributed,
    c_ast.Break: jumps.lower_break,
    c_ast.Case: statements.lower_case,
    c_ast.Compound: statements.lower_compound,
    c_ast.Continue: jumps.lower_continue,
    c_ast.Decl: declarations.lower_declaration,
    c_ast.Default: statements.lower_default,
    c_ast.DoWhile: statements.lower_do,
    c_ast.EmptyStatement: statements.lower_nothing,
    c_ast.For: statements.lower_for,
    c_ast.Goto: jumps.lower_goto,
    c_ast.If: statements.lower_if,
    c_ast.Label: jumps.lower_label,
    c_ast.Pragma: statements.lower_nothing,
    c_ast.Return: jumps.lower_return,
    c_ast.StaticAssert: statements.lower_nothing,
    c_ast.Switch: statements.lower_switch,
    c_ast.Typedef: declarations.lower_typedef,
    c_ast.While: statements.lower_while,
    nodes.AsmStatement: assembly.lower_asm,
    nodes.ComputedGoto: jumps.lower_computed_goto,
    nodes.LocalLabels: jumps.declare_labels,
}
