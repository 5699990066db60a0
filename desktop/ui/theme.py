"""How the page looks: our own colours, the system's fonts, light or dark as the system is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desktop.i18n import Translator
from desktop.settings import Theme
from engine.paths import resources_dir

FONTS = (
    "system-ui", "-apple-system", "Segoe UI", "Noto Sans", "PingFang SC", "Microsoft YaHei",
    "Noto Sans CJK SC", "sans-serif",
)  # fmt: skip
MONO_FONTS = ("ui-monospace", "Consolas", "DejaVu Sans Mono", "monospace")

# 50 to 950, light to dark.
PINE = (
    "#eef7f4", "#d6ebe4", "#aed7ca", "#7fbdab", "#519f8b", "#297564", "#22695b", "#1c554a",
    "#18443c", "#143831", "#0a201c",
)  # fmt: skip
STONE = (
    "#faf9f7", "#f3f1ed", "#e6e3dd", "#d3cfc7", "#a8a39a", "#716c63", "#5d5952", "#45423d",
    "#2c2a27", "#1f1e1c", "#161513",
)  # fmt: skip


@dataclass(frozen=True)
class Look:
    """Theme, style sheet, and what goes into the page's head in a given language."""

    theme: Any
    css: str
    head: Callable[[str], str]


def read_logo() -> str:
    """The icon as inline SVG."""
    return (resources_dir() / "icons" / "pairlens.svg").read_text(encoding="utf-8")


def load_look(translators: Mapping[str, Translator], chosen: Callable[[], Theme]) -> Look:
    """The look of the page; imports Gradio.

    Args:
        chosen: says whether the page is to be light or dark; asked whenever it is loaded.
    """
    import gradio as gr

    here = Path(__file__).parent
    script = (here / "page.js").read_text(encoding="utf-8")
    theme = gr.themes.Base(
        primary_hue=gr.themes.Color(*PINE, name="pine"),
        secondary_hue=gr.themes.Color(*PINE, name="pine"),
        neutral_hue=gr.themes.Color(*STONE, name="stone"),
        radius_size=gr.themes.sizes.radius_lg,
        # Plain strings are taken as installed fonts: nothing is fetched.
        font=list(FONTS),
        font_mono=list(MONO_FONTS),
    ).set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        body_text_color="*neutral_800",
        body_text_color_dark="*neutral_200",
        body_text_color_subdued="*neutral_500",
        body_text_color_subdued_dark="*neutral_400",
        background_fill_primary="#ffffff",
        background_fill_primary_dark="*neutral_900",
        background_fill_secondary="*neutral_100",
        background_fill_secondary_dark="*neutral_800",
        border_color_primary="*neutral_200",
        border_color_primary_dark="*neutral_800",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_border_width="0px",
        block_shadow="none",
        block_padding="0px",
        block_label_text_weight="600",
        block_label_text_color="*neutral_600",
        block_label_text_color_dark="*neutral_300",
        block_info_text_color="*neutral_500",
        block_info_text_color_dark="*neutral_400",
        block_title_text_color="*neutral_700",
        block_title_text_color_dark="*neutral_300",
        block_title_text_weight="600",
        block_title_text_size="*text_sm",
        input_background_fill="#ffffff",
        input_background_fill_dark="*neutral_950",
        input_border_color="*neutral_300",
        input_border_color_dark="*neutral_700",
        input_border_color_focus="*primary_500",
        input_border_color_focus_dark="*primary_400",
        input_border_width="1px",
        input_radius="10px",
        input_shadow="none",
        input_shadow_focus="0 0 0 3px rgba(41, 117, 100, .2)",
        input_shadow_focus_dark="0 0 0 3px rgba(91, 171, 150, .28)",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
        button_large_text_size="*text_md",
        button_large_padding="9px 18px",
        button_large_radius="10px",
        button_small_radius="8px",
        button_medium_radius="10px",
        button_primary_background_fill="*primary_500",
        button_primary_background_fill_hover="*primary_600",
        button_primary_background_fill_dark="*primary_500",
        button_primary_background_fill_hover_dark="*primary_600",
        button_primary_text_color="#ffffff",
        button_border_width="1px",
        button_primary_border_color="transparent",
        button_primary_border_color_dark="transparent",
        button_secondary_border_color="*neutral_300",
        button_secondary_border_color_dark="*neutral_700",
        button_secondary_background_fill="#ffffff",
        button_secondary_background_fill_hover="*neutral_100",
        button_secondary_background_fill_dark="*neutral_800",
        button_secondary_background_fill_hover_dark="*neutral_700",
        button_secondary_text_color="*neutral_800",
        button_secondary_text_color_dark="*neutral_100",
        checkbox_border_color="*neutral_400",
        checkbox_border_color_dark="*neutral_500",
        checkbox_background_color="#ffffff",
        checkbox_background_color_dark="*neutral_800",
        checkbox_background_color_selected="*primary_500",
        checkbox_background_color_selected_dark="*primary_500",
        checkbox_border_color_selected="*primary_500",
        checkbox_border_color_selected_dark="*primary_500",
        checkbox_label_background_fill="transparent",
        checkbox_label_background_fill_dark="transparent",
        checkbox_label_background_fill_selected="transparent",
        checkbox_label_background_fill_selected_dark="transparent",
    )

    def head(language: str) -> str:
        t = translators[language]
        words = {
            "language": language, "veil": t("drop.veil"), "large": t("photo.large"),
            "keep": t("history.keep"), "theme": chosen(), "close": t("close.question"),
            "stay": t("close.stay"), "leave": t("close.leave"),
            "previous": t("photo.previous"), "next": t("photo.next"),
            "open": t("photo.open"), "folder": t("photo.folder"), "shut": t("match.why_close"),
        }  # fmt: skip
        # JSON inside a script element must not be able to end it.
        said = json.dumps(words).replace("<", "\\u003c")
        link = '<link rel="icon" href="/favicon.ico">'
        drop = json.dumps(t("drop.here"), ensure_ascii=False)
        link += f"<style>:root {{ --pl-drop-words: {drop}; }}</style>"
        return f"{link}\n<script>window.pairlens = {{ words: {said} }};\n{script}</script>"

    return Look(theme, (here / "page.css").read_text(encoding="utf-8"), head)
