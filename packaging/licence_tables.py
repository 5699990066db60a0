"""What is known of licences: which let us pass a part on, and what parts do not say themselves.

Adding a line here is a decision; the reason stands beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

# SPDX names that let anybody pass the part on, unchanged and with its text, without asking more
# of the rest of the program. Strong copyleft is not among them: see GRANTED.
ALLOWED = frozenset(
    {
        "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "CDDL-1.0",
        "FTL", "HPND", "ICU", "IJG", "ISC", "JasPer-2.0", "LGPL-2.1-only", "LGPL-2.1-or-later",
        "LGPL-3.0-only", "LGPL-3.0-or-later", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "OFL-1.1",
        "PSF-2.0", "Python-2.0", "Unicode-3.0", "Unlicense", "X11", "Zlib", "blessing",
        "bzip2-1.0.6", "libpng-2.0", "libtiff",
    }
)  # fmt: skip

# Exceptions that only give more rights.
ALLOWED_EXCEPTIONS = frozenset({"GCC-exception-3.1", "LLVM-exception", "Bootloader-exception"})

# How packages that name their licence in words say it.
ALIASES = {
    "3-clause bsd license": "BSD-3-Clause",
    "apache": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
    "the unlicense (unlicense)": "Unlicense",
    "zlib/libpng license": "Zlib",
}


@dataclass(frozen=True, slots=True)
class Named:
    """A licence that was looked up by a person, and why it had to be."""

    licence: str
    why: str


# Packages whose metadata says too little.
NAMED = {
    "gradio-client": Named("Apache-2.0", "its classifier says so; it carries no text"),
    "jinja2": Named("BSD-3-Clause", "its classifier only says BSD; its LICENSE.txt is this one"),
    "pillow-heif": Named(
        "BSD-3-Clause", "its own code; the libraries in its wheel are listed by themselves"
    ),
    "pyinstaller": Named(
        "GPL-2.0-or-later WITH Bootloader-exception",
        "its COPYING.txt: what it starts may be under any licence",
    ),
    "pyinstaller-hooks-contrib": Named(
        "Apache-2.0", "of its hooks, those that run with the program"
    ),
    "pywebview": Named("BSD-3-Clause", "its metadata hold the text in place of the name"),
    "semantic-version": Named("BSD-2-Clause", "its metadata only say BSD; its LICENSE is this one"),
}

# Parts under a licence that ALLOWED leaves out, and why they may be passed on all the same.
GRANTED = {
    "x265": Named(
        "GPL-2.0-or-later",
        "an encoder that the wheel of pillow-heif links; PairLens never calls it. All that shares "
        "its process is compatible with GPL-3.0, under which the whole may be passed on; who "
        "passes it on has to offer its source too (docs/packaging.md)",
    ),
    "pairlens-model-pack": Named(
        "LicenseRef-PairLens-Model-Pack",
        "data, not code; may be passed on for non-commercial purposes with its text",
    ),
    "microsoft-runtime": Named(
        "LicenseRef-Microsoft-Visual-C-Runtime",
        "Microsoft lets programs carry these files unchanged (Distributable Code)",
    ),
}

# Shared libraries that are no package by themselves: how their files begin, what they are called,
# and their licence. The names of wheels' copies end in a checksum.
LIBRARIES = (
    (r"lib(avif)", "libavif", "BSD-2-Clause"),
    (r"(lib)?brotli", "Brotli", "MIT"),
    (r"(lib)?bz2", "bzip2", "bzip2-1.0.6"),
    (r"(lib)?(crypto|ssl)", "OpenSSL", "Apache-2.0"),
    (r"libde265", "libde265", "LGPL-3.0-or-later"),
    (r"(lib)?ffi", "libffi", "MIT"),
    (r"libfreetype", "FreeType", "FTL"),
    (r"lib(gcc_s|stdc\+\+|gomp|gfortran|quadmath)", "GCC's run-time libraries",
     "GPL-3.0-or-later WITH GCC-exception-3.1"),
    (r"libharfbuzz", "HarfBuzz", "MIT"),
    (r"(lib)?heif", "libheif", "LGPL-3.0-or-later"),
    (r"libicu", "ICU", "Unicode-3.0"),
    (r"(lib)?jasper", "JasPer", "JasPer-2.0"),
    (r"(lib)?(turbo)?jpeg", "libjpeg", "IJG AND BSD-3-Clause AND Zlib"),
    (r"liblcms2", "Little CMS", "MIT"),
    (r"liblzma", "XZ Utils", "0BSD"),
    (r"libopenjp2", "OpenJPEG", "BSD-2-Clause"),
    (r"libpng", "libpng", "libpng-2.0"),
    (r"(lib)?raw", "LibRaw", "LGPL-2.1-only OR CDDL-1.0"),
    (r"(lib)?scipy_openblas", "OpenBLAS", "BSD-3-Clause"),
    (r"libsharpyuv|libwebp", "libwebp", "BSD-3-Clause"),
    (r"(lib)?sqlite3", "SQLite", "blessing"),
    (r"libtiff", "LibTIFF", "libtiff"),
    (r"libuuid", "libuuid", "BSD-3-Clause"),
    (r"(lib)?x265", "x265", "GPL-2.0-or-later"),
    (r"libwinpthread", "winpthreads of MinGW-w64", "MIT AND BSD-3-Clause"),
    (r"libXau|libxcb", "libxcb", "MIT"),
    (r"(lib)?z(lib)?[.\-]", "zlib", "Zlib"),
    (r"libzstd", "Zstandard", "BSD-3-Clause"),
    (r"(api-ms-win|concrt|msvcp|ucrtbase|vcruntime|vcomp)", "Microsoft's C++ run-time",
     "LicenseRef-Microsoft-Visual-C-Runtime"),
)  # fmt: skip

# Fonts of Gradio's page, by how their files begin.
FONTS = ((r"KaTeX", "Fonts of KaTeX", "OFL-1.1"),)
