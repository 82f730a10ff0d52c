# SPDX-License-Identifier: GPL-2.0-only
"""CompileCommand: how one translation unit is compiled.

In: the words of a compiler's command line. Out: the same without what only matters for the object file:
`gcc -Iinclude -c -o a.o -Wp,-MMD,.a.o.d a.c` becomes `("gcc", "-Iinclude")` for the source `a.c`.

**Invariant:** running the arguments with `-E` writes nothing but standard output.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from posixpath import join, normpath

from msgspec import Struct


class CompileCommand(Struct, frozen=True):
    """One translation unit; two of one run never have the same name."""

    #: name of the main source file, see `FileNames`
    name: str
    #: main source file as the command spells it, relative to `directory`
    source: str
    #: absolute working directory of the compiler
    directory: str
    #: compiler and its flags, without the source; empty: `source` is preprocessed text
    arguments: tuple[str, ...]

    @property
    def digest(self) -> bytes:
        """Return what the command's preprocessed text is remembered under."""
        text = "\0".join((self.name, self.source, self.directory, *self.arguments))
        return blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).digest()


#: flags that write files, choose another output or change the form of preprocessed text
_DROPPED = re.compile(
    r"-[cSE]|-o.+|-M[DMGP]{0,2}|-M[FTQ].+|-save-temps.*|-fsyntax-only|-P|-CC?|-d[A-Z]+|-fplugin.*|--coverage"
    r"|-fdirectives-only|-pipe|-fverbose-asm"
)
#: the same, with their operand in the next word
_DROPPED_WITH_OPERAND = frozenset({"-o", "-MF", "-MT", "-MQ", "-MJ", "-dumpbase", "-dumpdir", "-auxbase-strip"})
#: flags whose operand may be the next word and must not be taken for the source
_OPERAND = frozenset(
    {"-I", "-D", "-U", "-include", "-imacros", "-iquote", "-isystem", "-idirafter", "-iprefix", "-x", "-isysroot",
     "-target", "-Xclang", "-Xpreprocessor", "-Xassembler", "-mllvm", "--param", "-arch", "-A", "-L", "-u"}
)  # fmt: skip
_WORD = re.compile(r"""(?:[^\s"'\\]+|"(?:\\.|[^"\\])*"|'[^']*'|\\.)+""", re.DOTALL)
_QUOTED = re.compile(r""""((?:\\.|[^"\\])*)"|'([^']*)'|\\(.)""", re.DOTALL)
_ESCAPED = re.compile(r'\\([$`"\\])|\\\n')


def split_words(command: str) -> tuple[str, ...]:
    """Split a shell command without expansions into words, much faster than `shlex`."""
    return tuple(_QUOTED.sub(_unquote, word) if _has_quote(word) else word for word in _WORD.findall(command))


def strip_arguments(words: Sequence[str], is_source: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """Return compiler and flags without output flags and source, and the source as spelled ("" if absent)."""
    arguments: list[str] = []
    source = ""
    rest = iter(words)
    for word in rest:
        if word in _DROPPED_WITH_OPERAND:
            next(rest, None)
        elif word in _OPERAND:
            arguments += (word, next(rest, ""))
        elif word.startswith("-Wp,"):
            arguments += _preprocessor_flag(word)
        elif word in is_source and arguments:
            source = word
        elif not _DROPPED.fullmatch(word):
            arguments.append(word)
    return tuple(arguments), source


def sources(words: Sequence[str]) -> Iterator[str]:
    """Yield the words that can be source files: neither flags nor operands of flags."""
    rest = iter(words[1:])
    for word in rest:
        if word in _OPERAND or word in _DROPPED_WITH_OPERAND:
            next(rest, None)
        elif not word.startswith("-") and "." in word:
            yield word


def _preprocessor_flag(word: str) -> tuple[str, ...]:
    """Take the dependency flags, which have an operand, out of `-Wp,-MMD,FILE,-DX`."""
    kept: list[str] = []
    parts = iter(word.split(",")[1:])
    for part in parts:
        if part in {"-MD", "-MMD"} or part in _DROPPED_WITH_OPERAND:
            next(parts, None)
        elif not _DROPPED.fullmatch(part):
            kept.append(part)
    return (",".join(("-Wp", *kept)),) if kept else ()


def _has_quote(word: str) -> bool:
    return '"' in word or "'" in word or "\\" in word


def _unquote(match: re.Match[str]) -> str:
    if match[1] is not None:
        return _ESCAPED.sub(lambda escape: escape[1] or "", match[1])
    return match[2] if match[2] is not None else match[3].replace("\n", "")


class Compilation(Struct, frozen=True):
    """One call of the compiler as it was recorded."""

    #: source file as the record tells it: not always spelled as in the command
    file: str
    directory: str
    #: compiler, flags and source
    words: tuple[str, ...]

    def sources(self) -> tuple[str, ...]:
        """Return the words of the command that are the source file."""
        wanted = normpath(join(self.directory, self.file))
        candidates = [word for word in sources(self.words) if word.endswith(".c")]
        same = [word for word in candidates if word == self.file or normpath(join(self.directory, word)) == wanted]
        return tuple(same or candidates[-1:])
