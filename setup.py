"""Compile the numerical core and the plant models, as far as possible; the rest is in pyproject.toml.

    python setup.py build_ext --inplace

Each .py that has a .pxd beside it becomes an extension module. Without Cython or without a C compiler the
same .py files are installed and interpreted: same numbers, slower. A line at the end says what was compiled.
"""

import hashlib
import runpy
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

try:
    import Cython
    from Cython.Build import cythonize
except ImportError:
    Cython = None

GENERATED = Path("build", "cython")
DIRECTIVES = {"language_level": 3, "cdivision": True, "auto_pickle": False}
# Without fused multiply-add every product is rounded, as the interpreter does: the runtimes agree to the bit.
COMPILE_ARGS = ["-O3", "-g0", "-ffp-contract=off"]

build_info = runpy.run_path(str(Path("edge", "box", "build_info.py")))


def recipe_sha256(py_path):
    """Return a hash over all that shapes the binary; the .pxd of other modules may be cimported."""
    recipe = hashlib.sha256(repr((Cython.__version__, DIRECTIVES, COMPILE_ARGS)).encode())
    for path in [py_path, *sorted(Path("cext").glob("*.pxd")), *sorted(Path("edge").rglob("*.pxd"))]:
        recipe.update(path.read_bytes())
    return recipe.hexdigest()


def translate(name, py_path):
    """Translate one module to C, with the marker of its source, unless that is done; return the C file."""
    c_path = GENERATED / py_path.with_suffix(".c")
    last_line = f"/* furnace-edge-recipe:{recipe_sha256(py_path)} */\n"
    if not (c_path.exists() and c_path.read_text(encoding="utf-8").endswith(last_line)):
        extension = Extension(name, [str(py_path)])
        cythonize([extension], build_dir=GENERATED, compiler_directives=DIRECTIVES, force=True, quiet=True)
        marker = build_info["MARKER"] + build_info["source_sha256"](py_path)
        with c_path.open("a", encoding="utf-8") as c_file:
            c_file.write(f'\n__attribute__((used)) static const char furnace_edge_source[] = "{marker}";\n')
            c_file.write(last_line)
    return c_path


class BuildExtensions(build_ext):
    """Build what can be built, and say in one line what stays interpreted, and why."""

    def run(self):
        self.interpreted = {}  # names by reason
        super().run()
        for py_path in py_paths.values():
            # Where the build has failed, a binary in place made from an older source must not outlive it.
            binary = build_info["binary_of"](py_path)
            if binary and build_info["carried_sha256"](binary) != build_info["source_sha256"](py_path):
                binary.unlink()
        compiled = len(py_paths) - sum(len(names) for names in self.interpreted.values())
        line = f"furnace-edge: {compiled} of {len(py_paths)} modules compiled"
        if self.interpreted:
            line += "; interpreted, with the same numbers but slower: "
            line += "; ".join(f"{', '.join(names)} ({reason})" for reason, names in self.interpreted.items())
        print(line, file=sys.stderr)

    def build_extension(self, ext):
        try:
            if Cython is None:
                raise ModuleNotFoundError("Cython is not installed")
            ext.sources = [str(translate(ext.name, py_paths[ext.name]))]
            super().build_extension(ext)
        except Exception as error:  # compilers fail in many ways, and none may stop the installation
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            self.interpreted.setdefault(reason, []).append(ext.name)


py_paths = {".".join(path.with_suffix("").parts): path for path in build_info["sources"](Path())}

setup(
    ext_modules=[
        Extension(name, [str(path)], extra_compile_args=COMPILE_ARGS, optional=True)
        for name, path in py_paths.items()
    ],
    cmdclass={"build_ext": BuildExtensions},
)
