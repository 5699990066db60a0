"""The Settings view: how PairLens looks and runs, what it keeps, and what to do when it fails."""

from __future__ import annotations

from contextlib import suppress
from html import escape

import gradio as gr

from desktop.bug_report import redactor, write_report
from desktop.i18n import Translator
from desktop.opening import show_in_folder
from desktop.settings import Theme
from desktop.ui import cards
from desktop.ui.about import AboutSection
from desktop.ui.bridge import DIRECT, Changes
from desktop.workbench import Workbench
from engine import hub
from engine.cards import cards as library_cards
from engine.device import Reason, choose_device
from engine.errors import PacksBusy, PhotoError
from engine.types import DeviceChoice

THEMES = {
    Theme.SYSTEM: "settings.theme_system",
    Theme.LIGHT: "settings.theme_light",
    Theme.DARK: "settings.theme_dark",
}
DEVICES = {
    DeviceChoice.AUTO: "settings.device_auto",
    DeviceChoice.CPU: "settings.device_cpu",
    DeviceChoice.CUDA: "settings.device_cuda",
}
REASONS = {
    Reason.ASKED: "settings.why_asked",
    Reason.CARD_FOUND: "settings.why_card_found",
    Reason.NO_DRIVER: "settings.why_no_driver",
    Reason.NOT_INSTALLED: "settings.why_not_installed",
    Reason.NO_WEIGHTS: "settings.why_no_weights",
    Reason.CARD_UNUSABLE: "settings.why_card_unusable",
}
# A radio's value can't be None; this one follows the system.
AS_SYSTEM = "system"


class SettingsView:
    """Laid out inside the current tab when it is made.

    Attributes:
        shown: all that ``look`` changes.
    """

    def __init__(self, bench: Workbench, t: Translator) -> None:
        self._bench = bench
        self._t = t
        with gr.Row(elem_classes="pl-split"):
            with gr.Column(min_width=320):
                self._lay_out_look()
                self._lay_out_device()
                self._lay_out_kept()
            with gr.Column(min_width=320):
                self._lay_out_trouble()
                about = AboutSection(bench, t)
        # Pressed by the script when the view is shown.
        look = gr.Button("", elem_id="settings-look", elem_classes="pl-hidden")
        self.shown = [
            self._theme, self._language, self._device, self._device_now, self._libraries,
            self._cache, about.model,
        ]  # fmt: skip
        look.click(lambda: {**self.look(), **about.look()}, None, self.shown, **DIRECT)
        self._wire()

    def _lay_out_look(self) -> None:
        t = self._t
        with gr.Column(elem_classes="pl-card"):
            gr.HTML(_title(t("settings.look")))
            self._theme = gr.Radio(
                [(t(words), theme.value) for theme, words in THEMES.items()],
                value=Theme.SYSTEM.value, label=t("settings.theme"), elem_id="settings-theme",
                elem_classes="pl-segments",
            )  # fmt: skip
            translators = self._bench.translators
            names = [(other("app.language"), name) for name, other in translators.items()]
            self._language = gr.Radio(
                [(t("settings.language_system"), AS_SYSTEM), *names],
                value=AS_SYSTEM, label=t("app.choose_language"), elem_id="pl-language",
                elem_classes="pl-segments",
            )  # fmt: skip

    def _lay_out_device(self) -> None:
        t = self._t
        with gr.Column(elem_classes="pl-card"):
            gr.HTML(_title(t("settings.device"), t("settings.model_hint")))
            self._device = gr.Radio(
                [(t(words), device.value) for device, words in DEVICES.items()],
                value=DeviceChoice.AUTO.value, label=t("settings.device_choice"),
                show_label=False, elem_id="settings-device", elem_classes="pl-segments",
            )  # fmt: skip
            self._device_now = gr.HTML(elem_id="settings-device-now")

    def _lay_out_kept(self) -> None:
        t = self._t
        with gr.Column(elem_classes="pl-card"):
            gr.HTML(_title(t("libraries.title"), t("libraries.hint")))
            self._libraries = gr.HTML(elem_id="settings-libraries")
        with gr.Column(elem_classes="pl-card"):
            gr.HTML(_title(t("settings.cache")))
            with gr.Row(elem_classes="pl-line pl-beside"):
                self._cache = gr.HTML(elem_id="settings-cache")
                self._clear = gr.Button(
                    t("settings.cache_clear"), size="sm", scale=0, min_width=110,
                    elem_id="settings-cache-clear",
                )  # fmt: skip

    def _lay_out_trouble(self) -> None:
        t = self._t
        with gr.Column(elem_classes="pl-card"):
            gr.HTML(_title(t("settings.trouble")) + cards.note(t("settings.report_hint")))
            with gr.Row(elem_classes="pl-line pl-start"):
                self._write = gr.Button(
                    t("settings.report"), size="sm", scale=0, min_width=200,
                    elem_id="settings-report",
                )  # fmt: skip
                self._show_log = gr.Button(
                    t("settings.log_show"), size="sm", scale=0, min_width=120,
                    elem_id="settings-log",
                )  # fmt: skip
            gr.HTML(cards.note(t("settings.log", path=self._bench.log_file)))
            self._log_said = gr.HTML(elem_id="settings-log-said", elem_classes="pl-may-be-empty")
            self._report = gr.HTML(elem_id="settings-written", elem_classes="pl-may-be-empty")

    def _wire(self) -> None:
        self._theme.input(
            lambda theme: self._bench.settings.choose(theme=Theme(theme)), self._theme, None,
            **DIRECT, js="(theme) => { window.pairlens.wear(theme); return [theme]; }",
        )  # fmt: skip
        self._language.input(self._speak, self._language, None, **DIRECT).then(
            None, None, None, js="() => { window.location.reload(); }"
        )
        self._device.input(self._choose_device, self._device, self._device_now, **DIRECT)
        self._clear.click(self._clear_cache, None, self._cache, **DIRECT)
        self._show_log.click(self._show_where_the_log_is, None, self._log_said, **DIRECT)
        self._write.click(self._make_report, None, self._report, **DIRECT)

    def look(self) -> Changes:
        """What is chosen and kept now."""
        choices = self._bench.settings.choices
        return {
            self._theme: choices.theme.value,
            self._language: choices.language or AS_SYSTEM,
            self._device: choices.device.value,
            self._device_now: self._running_on(),
            self._libraries: self._listed(),
            self._cache: self._megabytes("settings.cache_held", self._held()),
        }

    def _speak(self, language: str) -> None:
        self._bench.settings.choose(language=None if language == AS_SYSTEM else language)

    def _choose_device(self, device: str) -> str:
        self._bench.settings.choose(device=DeviceChoice(device))
        return self._running_on()

    def _running_on(self) -> str:
        """What runs the model now and why, and what will from the next start on."""
        t, bench = self._t, self._bench
        try:
            matcher = bench.matcher.get()
            asked = DeviceChoice.CPU if bench.device is DeviceChoice.CPU else DeviceChoice.AUTO
            device = choose_device(asked, matcher.pack_folder)
        except Exception as error:
            return cards.notice(cards.sentence_for(error, t, bench))
        name = t("settings.on_cuda" if device.is_cuda else "settings.on_cpu")
        said = cards.note(t("settings.device_now", device=name, why=t(REASONS[device.reason])))
        if bench.settings.choices.device is not bench.device:
            said += cards.note(t("settings.device_later"))
        return said

    def _listed(self) -> str:
        """The libraries by their cards: none is opened, which could take time or find damage."""
        t = self._t
        rows = "".join(
            f"<li><div><strong>{escape(one.name)}</strong>"
            + "".join(f"<div>{escape(cards.written(folder))}</div>" for folder in one.folders)
            + "</div></li>"
            for one in library_cards()
        )
        link = (
            '<button type="button" class="pl-link" data-show="search" '
            f'data-open="search-libraries">{escape(t("settings.libraries_link"))}</button>'
        )
        if not rows:
            return cards.note(t("libraries.none"))
        return f'<ul class="pl-libraries">{rows}</ul>{link}'

    def _held(self) -> int:
        """Bytes that are kept for speed."""
        return self._bench.thumbnails.size() + hub.unfinished_size()

    def _clear_cache(self) -> str:
        before = self._held()
        self._bench.thumbnails.clear()
        with suppress(PacksBusy):  # what is being fetched is not to be deleted
            hub.drop_unfinished()
        return self._megabytes("settings.cache_cleared", before - self._held())

    def _megabytes(self, key: str, size: int) -> str:
        return cards.note(self._t(key, size=f"{size / 1e6:,.1f}"))

    def _show_where_the_log_is(self) -> str:
        try:
            show_in_folder(self._bench.log_file)
        except PhotoError as error:
            return cards.notice(self._t.error(error))
        return ""

    def _make_report(self) -> str:
        bench = self._bench
        about = {"Language": bench.language(), "Device asked for": bench.device.value}
        try:
            matcher = bench.matcher.get()
        except Exception as error:
            about["Model"] = type(error).__name__
        else:
            manifest = matcher.pack.manifest
            about |= {
                "Device": matcher.device,
                "Model": f"{manifest.name} {manifest.version} ({matcher.model_id})",
            }
        text = write_report(about, redactor())
        return _copyable(text, self._t)


def _title(words: str, meaning: str = "") -> str:
    """A heading, and beside it what its words mean where not everybody knows them."""
    beside = cards.hint(words, meaning) if meaning else ""
    return f'<div class="pl-title"><h2>{escape(words)}</h2>{beside}</div>'


def _copyable(text: str, t: Translator) -> str:
    name, copied = escape(t("settings.report_label")), escape(t("settings.report_copied"))
    return (
        f'<div class="pl-report"><pre class="pl-text" tabindex="0" role="region" '
        f'aria-label="{name}">{escape(text)}</pre><div class="pl-row">'
        f'<button type="button" class="pl-button" data-copy="{copied}">'
        f"{escape(t('settings.report_copy'))}</button>"
        '<span class="pl-quiet" role="status"></span></div></div>'
    )
