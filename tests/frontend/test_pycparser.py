# SPDX-License-Identifier: GPL-2.0-only
"""What the front end relies on in pycparser beyond its public interface.

A failure here says which promise a new release breaks, before anything subtler goes wrong.
"""

from __future__ import annotations

import ast
import inspect
from importlib.metadata import version
from pathlib import Path

import pytest
from pycparser import ast_transforms, c_ast, c_parser

from analyzer.frontend import cursor, declarations, expressions, statements
from analyzer.frontend.parser import GnuParser

FRONTEND = Path(cursor.__file__).parent

#: private methods that the grammar overrides, with their parameters
OVERRIDDEN = {
    "_accept": ["token_type"],
    "_add_identifier": ["name", "coord"],
    "_add_typedef_name": ["name", "coord"],
    "_advance": [],
    "_build_declarations": ["spec", "decls", "typedef_namespace"],
    "_expect": ["token_type"],
    "_is_type_in_scope": ["name"],
    "_mark": [],
    "_parse_any_declarator": ["allow_abstract", "typeid_paren_as_abstract"],
    "_parse_assignment_expression": [],
    "_parse_attribute_specifier_sequence": [],
    "_parse_binary_expression": ["min_prec", "lhs"],
    "_parse_cast_expression": [],
    "_parse_compound_statement": ["new_scope"],
    "_parse_conditional_expression": [],
    "_parse_constant": [],
    "_parse_decl_suffixes": ["decl"],
    "_parse_designator": [],
    "_parse_direct_declarator": ["kind", "allow_paren"],
    "_parse_enumerator_list": [],
    "_parse_error": ["msg", "coord"],
    "_parse_expression": [],
    "_parse_external_declaration": [],
    "_parse_identifier_or_typeid": [],
    "_parse_init_declarator": ["id_only"],
    "_parse_initializer_item": [],
    "_parse_labeled_statement": [],
    "_parse_parameter_declaration": [],
    "_parse_postfix_expression": [],
    "_parse_pppragma_directive_list": [],
    "_parse_pragmacomp_or_statement": [],
    "_parse_primary_expression": [],
    "_parse_specifiers": ["allow_storage_and_function"],
    "_parse_statement": [],
    "_parse_struct_declarator": [],
    "_parse_type_name": [],
    "_parse_unary_expression": [],
    "_peek": ["k"],
    "_peek_type": ["k"],
    "_pop_scope": [],
    "_push_scope": [],
    "_reset": ["mark"],
    "_starts_declaration": ["tok"],
    "_starts_expression": ["tok"],
    "_tok_coord": ["tok"],
}

#: private methods that the grammar calls as they are, with their parameters
CALLED = {
    "_parse_abstract_declarator_opt": [],
    "_parse_array_decl": ["base_decl"],
    "_parse_function_decl": ["base_decl"],
    "_type_modify_decl": ["decl", "modifier"],
    "_parse_alignment_specifier": [],
    "_parse_argument_expression_list": [],
    "_parse_atomic_specifier": [],
    "_parse_bitint_specifier": [],
    "_parse_decl_body_with_spec": ["spec", "saw_type"],
    "_parse_declaration": [],
    "_parse_declaration_specifiers": ["allow_no_type"],
    "_parse_declarator": [],
    "_parse_declarator_kind": ["kind", "allow_paren"],
    "_parse_designator_list": [],
    "_parse_enum_specifier": [],
    "_parse_enumerator": [],
    "_parse_function_definition": ["spec", "decl"],
    "_parse_generic_selection": [],
    "_parse_id_declarator": [],
    "_parse_init_declarator_list": ["first", "id_only"],
    "_parse_initializer": [],
    "_parse_iteration_statement": [],
    "_parse_jump_statement": [],
    "_parse_offsetof_member_designator": [],
    "_parse_static_assert": [],
    "_parse_struct_or_union_specifier": [],
    "_parse_typeof_specifier": [],
    "_parse_unified_string_literal": [],
    "_starts_declarator": ["id_only"],
}

#: private tables that the grammar reads
TABLES = {
    "_ASSIGNMENT_OPS",
    "_BINARY_PRECEDENCE",
    "_CHAR_CONST",
    "_DECL_START",
    "_FLOAT_CONST",
    "_FUNCTION_SPEC",
    "_INT_CONST",
    "_STARTS_EXPRESSION",
    "_STORAGE_CLASS",
    "_STRING_LITERAL",
    "_TYPEOF_SPEC",
    "_TYPE_QUALIFIER",
    "_TYPE_SPEC_SIMPLE",
}


def own_methods() -> set[str]:
    layers = (cursor.Cursor, expressions.Expressions, statements.Statements, declarations.Declarations, GnuParser)
    return {name for layer in layers for name in vars(layer)}


def test_the_release_is_the_one_that_was_read() -> None:
    assert version("pycparser") == "3.12", "read the new release's c_parser.py against the tables in this file"


@pytest.mark.parametrize(("name", "parameters"), sorted((OVERRIDDEN | CALLED).items()))
def test_a_private_method_still_takes_what_it_took(name: str, parameters: list[str]) -> None:
    method = getattr(c_parser.CParser, name, None)
    assert method is not None, f"pycparser no longer has CParser.{name}, which the front end relies on"
    found = [p for p in inspect.signature(method).parameters if p != "self"]
    assert found == parameters, f"CParser.{name} takes other parameters now"


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_private_table_is_still_there(name: str) -> None:
    assert getattr(c_parser, name, None), f"pycparser no longer has c_parser.{name}"


def test_all_that_is_relied_on_is_listed_here() -> None:
    inherited = set(vars(c_parser.CParser))
    assert own_methods() & inherited - {"__init__", "__doc__", "__module__"} == set(OVERRIDDEN)
    called = set()
    tables = set()
    for path in ("cursor", "expressions", "statements", "declarations", "parser"):
        for node in ast.walk(ast.parse((FRONTEND / f"{path}.py").read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
                if isinstance(node.value, ast.Name) and node.value.id == "c_parser":
                    tables.add(node.attr)
                elif node.attr in inherited and node.attr not in own_methods():
                    called.add(node.attr)
    assert called - {"__init__"} == set(CALLED)
    assert tables == TABLES


def test_the_grammar_still_asks_for_a_statement_in_one_way() -> None:
    """`_parse_iteration_statement` is pycparser's and must come back to our statements."""
    source = inspect.getsource(c_parser.CParser._parse_iteration_statement)
    assert "_parse_pragmacomp_or_statement" in source


def test_switch_cases_are_still_gathered() -> None:
    case = c_ast.Case(c_ast.Constant("int", "1"), [c_ast.Break()])
    switch = c_ast.Switch(c_ast.ID("x"), c_ast.Compound([case, c_ast.Continue()]))
    assert [type(s) for s in ast_transforms.fix_switch_cases(switch).stmt.block_items[0].stmts] == [
        c_ast.Break,
        c_ast.Continue,
    ]


@pytest.mark.parametrize(
    ("node", "slots"),
    [
        (
            c_ast.Decl,
            ("name", "quals", "align", "storage", "funcspec", "type", "init", "bitsize", "attributes", "coord"),
        ),
        (c_ast.Typedef, ("name", "quals", "storage", "type", "attributes", "coord")),
        (c_ast.TypeDecl, ("declname", "quals", "align", "type", "attributes", "coord")),
        (c_ast.FuncDef, ("decl", "param_decls", "body", "coord")),
        (c_ast.InferredType, ("coord",)),
        (c_ast.TypeOf, ("op", "expr", "coord")),
    ],
)
def test_nodes_have_the_slots_that_are_read_and_written(node: type, slots: tuple[str, ...]) -> None:
    assert tuple(s for s in node.__slots__ if s != "__weakref__") == slots  # type: ignore[attr-defined]
