"""What goes into the standalone program, and what stays out. The recipe asks; so do tests."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from origins import Entry

# Read at run time, by name: Gradio's front end, and desktop's splash page.
DATA_PACKAGES = ("desktop", "gradio", "gradio_client", "safehttpx", "groovy", "hf_gradio")

# Looked up by name when it is first used. What is imported within functions, as rawpy and
# watchfiles are, is found by itself.
HIDDEN = ("lap._lapjv_rh",)
HIDDEN_ON = {
    "linux": ("webview.platforms.qt",),
    "darwin": ("webview.platforms.cocoa",),
    "win32": ("webview.platforms.winforms", "webview.platforms.edgechromium"),
}

# Never part of the program, even where the environment holds them.
EXCLUDED = (
    "transformers", "optimum", "onnx", "onnxscript", "torchvision", "sklearn", "scipy",
    "matplotlib", "altair", "plotly", "hf_xet", "sympy", "IPython", "pytest", "tkinter", "gi",
    "PyQt5", "PyQt6", "PySide2", "cefpython3", "engine.training",
    # QtPy imports them where they are there; a page in a window needs none.
    "PySide6.QtDataVisualization", "PySide6.QtOpenGL", "PySide6.QtOpenGLWidgets",
    "PySide6.QtPositioning", "PySide6.QtQml", "PySide6.QtQuick", "PySide6.QtQuickWidgets",
    # What only builds packages.
    "setuptools", "pkg_resources", "distutils",
    # A GPL line editor for terminals.
    "readline", "curses",
)  # fmt: skip
# What only the edition for NVIDIA cards carries.
CUDA_ONLY = ("torch", "safetensors", "engine.nn", "engine.backends.torch")
# torch computes with symbols when it compiles, which it imports in any case.
CUDA_NEEDS = ("sympy",)
WEIGHTS = "weights.safetensors"

# What packages bring and a page in a window never loads. Of the chunks of Gradio's front end
# (templates/frontend/assets) only two are left out, which its Plot component alone asks for when it
# has such a plot to show; the others load one another by names that only look unused.
UNUSED = re.compile(
    r"""
    PySide6/Qt/qml/
    | PySide6/Qt/translations/(?!qtwebengine_locales/(en-US|zh-CN)\.pak$)
    | PySide6/Qt/resources/qtwebengine_devtools_resources
    | PySide6/Qt/resources/.*\.debug\.
    | PySide6/Qt/lib/libQt6(Quick3D|QuickControls2|QuickTemplates2|QuickDialogs|3D|Charts|DataVis
        |Graphs|Multimedia|Pdf|Designer|Test|Sql|Sensors|RemoteObjects|Scxml|StateMachine
        |TextToSpeech|VirtualKeyboard|SpatialAudio|Location|Labs|Help|ShaderTools
        |WaylandCompositor|Egl|Bluetooth|Nfc|SerialPort|SerialBus|HttpServer|WebSockets|WebView
        |WebEngineQuick|WebChannelQuick|PositioningQuick|Concurrent|OpenGLWidgets
        |Quick(Particles|Layouts|Shapes|Effects|VectorImage|Timeline)
        |Qml(Core|XmlListModel|Network|DesignSupport|LocalStorage))
    # Played by Qt Multimedia alone; the web engine brings decoders of its own.
    | PySide6/Qt/lib/lib(avcodec|avformat|avutil|swscale|swresample)\.
    | PySide6/Qt/plugins/(sqldrivers|multimedia|qmltooling|designer|assetimporters|geometryloaders
        |sceneparsers|renderplugins|renderers|virtualkeyboard|texttospeech|position|sensors|canbus
        |scxmldatamodel|webview|egldeviceintegrations|generic|geoservices|printsupport
        |vectorimageformats|wayland-graphics-integration-server)/
    | PySide6/Qt/plugins/platforms/libq(eglfs|linuxfb|minimal|minimalegl|vnc|vkkhrdisplay)\.so
    | PySide6/Qt/plugins/imageformats/libq(icns|pdf|tga|tiff|wbmp|webp)\.so
    | PySide6/Qt/plugins/platforminputcontexts/libqtvirtualkeyboardplugin\.so
    # ffmpeg cuts videos and bokeh draws plots; the fonts are Google's, and ours is the system's.
    | gradio/templates/frontend/static/(ffmpeg|bokeh|fonts)/
    | gradio/(test_data|media_assets|_frontend_code)/
    | gradio/templates/frontend/assets/(Plotly|Altair)Plot-[^/]+\.js$
    | gradio/templates/node/
    | gradio/CHANGELOG\.md
    # Writes HEIC; linux/thin.py puts something in its place.
    | pillow_heif\.libs/libx265.*\.so
    # ONNX Runtime's Python binding holds all of the library itself.
    | onnxruntime/capi/libonnxruntime\.so
    | (.*/)?[^/]+\.pyi$
    """,
    re.VERBOSE,
)

# Linux: libraries of the system stay with the system, which mends them and fits them to its drivers
# (the .deb names them). What Python itself was built with comes along, and the helpers of xcb,
# which many systems lack.
SYSTEM = re.compile(r"/(usr/)?lib(64)?/(?!python)")
BROUGHT = re.compile(
    r"lib(python3|ssl|crypto|sqlite3|ffi|bz2|lzma|uuid|mpdec)[.\-\d]"
    r"|libxcb-(cursor|icccm|image|keysyms|render-util|util)\."
)


def used(entries: Iterable[Entry]) -> list[Entry]:
    """Entries (name, source, kind) without the unused ones and without links to them."""
    kept = []
    for entry in entries:
        name, source, kind = entry
        target = (source if kind == "SYMLINK" else name).replace("\\", "/")
        if UNUSED.match(target) or UNUSED.match(name.replace("\\", "/")):
            continue
        if SYSTEM.match(source or "") and not BROUGHT.match(Path(source).name):
            continue
        kept.append(entry)
    return kept


def excluded(cuda: bool) -> list[str]:
    """Modules that the program goes without."""
    if cuda:
        return [name for name in EXCLUDED if name not in CUDA_NEEDS]
    return [*EXCLUDED, *CUDA_ONLY]


def resources(root: Path, cuda: bool) -> list[tuple[str, str]]:
    """(file, folder in the program) of everything in resources/; weights are for torch alone."""
    return [
        (str(path), str(path.parent.relative_to(root)))
        for path in sorted((root / "resources").rglob("*"))
        if path.is_file() and (cuda or path.name != WEIGHTS)
    ]
