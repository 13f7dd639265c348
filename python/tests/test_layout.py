"""The structs and functions of `libws._abi` against include/libws.h, as a C compiler sees it."""

import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from libws import _abi, _errors

from .support import ROOT

HEADER = ROOT / "include" / "libws.h"
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def compiled_numbers(lines):
    """Prints expressions from a C program and returns `{expression: number}`."""
    prints = "\n".join(f'    printf("{text}=%lld\\n", (long long)({text}));' for text in lines)
    source = f"#include <libws.h>\n#include <stdio.h>\nint main(void) {{\n{prints}\n    return 0;\n}}\n"
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "layout"
        program.with_suffix(".c").write_text(source)
        compiler = os.environ.get("CC", "cc")
        subprocess.run(
            [compiler, "-std=c99", f"-I{HEADER.parent}", "-o", program, program.with_suffix(".c")], check=True
        )
        output = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    return {text: int(number) for text, number in (line.rsplit("=", 1) for line in output.splitlines())}


class Layout(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.header = COMMENT.sub("", HEADER.read_text())

    def test_every_struct_of_the_header_is_here(self):
        named = set(re.findall(r"^typedef struct (\w+)", self.header, re.MULTILINE))
        self.assertEqual(named, set(_abi.STRUCTS))

    def test_sizes_and_offsets(self):
        expected = {}
        for name, struct in _abi.STRUCTS.items():
            expected[f"sizeof({name})"] = _abi.ctypes.sizeof(struct)
            for field, *_ in struct._fields_:
                description = getattr(struct, field)
                expected[f"offsetof({name}, {field})"] = description.offset
                expected[f"sizeof((({name} *)0)->{field})"] = description.size
        self.assertEqual(compiled_numbers(expected), expected)

    def test_every_field_of_the_header_is_here_in_its_order(self):
        for name, struct in _abi.STRUCTS.items():
            with self.subTest(name):
                body = re.search(rf"^typedef struct {name} {{(.*?)^}} {name};", self.header, re.M | re.S).group(1)
                fields = re.findall(r"\(\*(\w+)\)\(|(\w+)(?:\[\d+\])?;", re.sub(r"\)\([^;]*;", ")(", body))
                self.assertEqual([a or b for a, b in fields], [field for field, *_ in struct._fields_])

    def test_every_function_of_the_header_is_here_with_its_arguments(self):
        found = re.findall(r"^(?:const )?\w+ \*?(libws_\w+)\(((?:[^()]|\([^()]*\))*)\);", self.header, re.MULTILINE)
        counted = {
            name: 0 if arguments == "void" else len(re.sub(r"\([^()]*\)", "", arguments).split(","))
            for name, arguments in found
        }
        self.assertEqual(counted, {name: len(takes) for name, (_, takes) in _abi.FUNCTIONS.items()})

    def test_every_error_has_its_class(self):
        errors = dict(re.findall(r"LIBWS_ERR_(\w+)\s*= (-\d+)", self.header))
        self.assertEqual({int(number) for number in errors.values()}, set(_errors._CLASSES))
        for name, number in errors.items():
            self.assertEqual(_errors.make_error(int(number), "").name, f"LIBWS_ERR_{name}")

    def test_version(self):
        with self.assertRaises(ImportError):
            _abi.check_version(0x000200, "libws.so")
        with self.assertRaises(ImportError):
            _abi.check_version(0x010100, "libws.so")
        _abi.check_version(0x000105, "libws.so")
