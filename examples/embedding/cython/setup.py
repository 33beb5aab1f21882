"""Builds the example: ``python setup.py build_ext --inplace``."""

from Cython.Build import cythonize
from setuptools import Extension, setup

import kpm_fast

folders = kpm_fast.get_library_dirs()
replay = Extension(
    "replay",
    ["replay.pyx"],
    include_dirs=[kpm_fast.get_include()],
    libraries=kpm_fast.get_libraries(),
    library_dirs=folders,
    runtime_library_dirs=folders,
)
setup(name="replay", ext_modules=cythonize([replay]))
