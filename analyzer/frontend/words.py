# SPDX-License-Identifier: GPL-2.0-only
"""Words and punctuators of GNU C with the token kinds that pycparser's grammar gives them.

In: the spelling of a token. Out: its kind: `KINDS["while"] == "WHILE"`, `KINDS["0x1f"] == "INT_CONST_DEC"`.

**Source:** GCC manual, "Extensions to the C Language Family"; kinds as in `pycparser.c_lexer` 3.12.
"""

from __future__ import annotations

#: kinds that pycparser does not know, for the grammar of `expressions`, `statements` and `declarations`
GNU_KINDS = frozenset(
    {
        "ASM",
        "ATTRIBUTE",
        "AUTO_TYPE",
        "CHOOSE_EXPR",
        "CONVERT_VECTOR",
        "EXTENSION",
        "LABEL",
        "TYPES_COMPATIBLE",
    }
)

_PLAIN = """
auto break case char const continue default do double else enum extern float for goto if inline int
long register restrict return short signed sizeof static struct switch typedef union unsigned void
volatile while _Alignas _Alignof _Atomic _BitInt _Bool _Complex _Decimal32 _Decimal64 _Decimal128
_Generic _Noreturn _Static_assert _Thread_local __int128 typeof typeof_unqual
""".split()  # noqa: SIM905  # a list of fifty quoted words is harder to read

#: other spellings of a plain word; the tree holds the plain one
SPELLINGS = {
    "__alignof": "_Alignof",
    "__alignof__": "_Alignof",
    "__asm": "asm",
    "__asm__": "asm",
    "__attribute": "__attribute__",
    "__complex__": "_Complex",
    "__const": "const",
    "__const__": "const",
    "__inline": "inline",
    "__inline__": "inline",
    "__restrict": "restrict",
    "__restrict__": "restrict",
    "__signed": "signed",
    "__signed__": "signed",
    "__thread": "_Thread_local",
    "__typeof": "typeof",
    "__typeof__": "typeof",
    "__typeof_unqual": "typeof_unqual",
    "__typeof_unqual__": "typeof_unqual",
    "__volatile": "volatile",
    "__volatile__": "volatile",
}

_GNU = {
    "asm": "ASM",
    "__attribute__": "ATTRIBUTE",
    "__auto_type": "AUTO_TYPE",
    "__builtin_choose_expr": "CHOOSE_EXPR",
    "__builtin_convertvector": "CONVERT_VECTOR",
    "__builtin_offsetof": "OFFSETOF",
    "__builtin_types_compatible_p": "TYPES_COMPATIBLE",
    "__builtin_va_arg": "__BUILTIN_VA_ARG",
    "__extension__": "EXTENSION",
    "__label__": "LABEL",
    # complex numbers' parts are unary operators
    "__real__": "NOT",
    "__imag__": "NOT",
    # named address spaces are qualifiers
    "__seg_fs": "CONST",
    "__seg_gs": "CONST",
    # type names that no header declares
    "__builtin_va_list": "DOUBLE",
    "__bf16": "DOUBLE",
    "__float80": "DOUBLE",
    "__float128": "DOUBLE",
    "__ibm128": "DOUBLE",
    "__int128_t": "DOUBLE",
    "__uint128_t": "DOUBLE",
    "_Float16": "DOUBLE",
    "_Float32": "DOUBLE",
    "_Float32x": "DOUBLE",
    "_Float64": "DOUBLE",
    "_Float64x": "DOUBLE",
    "_Float128": "DOUBLE",
}

_PUNCTUATORS = {
    "...": "ELLIPSIS",
    "<<=": "LSHIFTEQUAL",
    ">>=": "RSHIFTEQUAL",
    "++": "PLUSPLUS",
    "--": "MINUSMINUS",
    "->": "ARROW",
    "&&": "LAND",
    "||": "LOR",
    "<<": "LSHIFT",
    ">>": "RSHIFT",
    "<=": "LE",
    ">=": "GE",
    "==": "EQ",
    "!=": "NE",
    "*=": "TIMESEQUAL",
    "/=": "DIVEQUAL",
    "%=": "MODEQUAL",
    "+=": "PLUSEQUAL",
    "-=": "MINUSEQUAL",
    "&=": "ANDEQUAL",
    "|=": "OREQUAL",
    "^=": "XOREQUAL",
    "=": "EQUALS",
    "+": "PLUS",
    "-": "MINUS",
    "*": "TIMES",
    "/": "DIVIDE",
    "%": "MOD",
    "|": "OR",
    "&": "AND",
    "~": "NOT",
    "^": "XOR",
    "!": "LNOT",
    "<": "LT",
    ">": "GT",
    "?": "CONDOP",
    "(": "LPAREN",
    ")": "RPAREN",
    "[": "LBRACKET",
    "]": "RBRACKET",
    "{": "LBRACE",
    "}": "RBRACE",
    ",": "COMMA",
    ".": "PERIOD",
    ";": "SEMI",
    ":": "COLON",
}

_LITERALS = {"": "", "L": "W", "u8": "U8", "u": "U16", "U": "U32"}


class _Kinds(dict[str, str]):
    """Kinds by spelling; identifiers and literals are added as they are met."""

    #: where to forget the names met so far: bounds the memory of a long run
    LIMIT = 500_000

    def __missing__(self, spelling: str) -> str:
        if len(self) > self.LIMIT:
            self.clear()
            self.update(_FIXED)
        kind = self[spelling] = _classify(spelling)
        return kind


def _classify(spelling: str) -> str:
    """Tell the kind of an identifier, number, character constant or string literal."""
    if spelling[-1] in "\"'":
        quote = spelling[-1]
        prefix = _LITERALS[spelling[: spelling.index(quote)]]
        return prefix + ("STRING_LITERAL" if quote == '"' else "CHAR_CONST")
    if spelling[0].isdigit() or spelling[0] == ".":
        digits = spelling.lower()
        if digits.startswith("0x"):
            return "HEX_FLOAT_CONST" if "." in digits or "p" in digits else "INT_CONST_DEC"
        if digits.startswith("0b"):
            return "INT_CONST_DEC"
        return "FLOAT_CONST" if "." in digits or "e" in digits else "INT_CONST_DEC"
    return "ID"


_FIXED = (
    {word: word.upper() for word in _PLAIN}
    | _GNU
    | {spelling: (_GNU.get(plain) or plain.upper()) for spelling, plain in SPELLINGS.items()}
    | _PUNCTUATORS
)

KINDS = _Kinds(_FIXED)
