"""The program's own signs, drawn as lines in the colour of the text around them."""

from __future__ import annotations

# name -> what is inside a square of 24 by 24
SHAPES = {
    "match": '<circle cx="9" cy="12" r="6"/><circle cx="15" cy="12" r="6"/>',
    "batch": '<rect x="3.5" y="4.5" width="6" height="6" rx="1.5"/>'
    '<rect x="3.5" y="13.5" width="6" height="6" rx="1.5"/>'
    '<path d="M13.5 6h7M13.5 9h4.5M13.5 15h7M13.5 18h4.5"/>',
    "search": '<circle cx="10.5" cy="10.5" r="6"/><path d="m15 15 5.5 5.5"/>',
    "history": '<path d="M4.2 9.5a8.2 8.2 0 1 1-.4 4.3"/><path d="M3.6 4.6v5h5"/>'
    '<path d="M12 7.8V12l3 2"/>',
    "models": '<path d="m12 3.5 7.5 4.2v8.6L12 20.5l-7.5-4.2V7.7Z"/>'
    '<path d="m4.8 7.9 7.2 4 7.2-4M12 12v8.3"/>',
    "settings": '<path d="M4 7h9M19 7h1M4 17h1M11 17h9"/>'
    '<circle cx="16" cy="7" r="2.6"/><circle cx="8" cy="17" r="2.6"/>',
    "photo": '<rect x="3.5" y="5" width="17" height="14" rx="2.5"/><circle cx="9" cy="10" r="1.7"/>'
    '<path d="m4 17 5-4.2 3.4 2.8 3.8-3.6 4.3 4"/>',
    "private": '<rect x="5" y="10.5" width="14" height="9.5" rx="2"/>'
    '<path d="M8 10.5V8a4 4 0 0 1 8 0v2.5"/>',
}


def icon(name: str) -> str:
    """One as inline SVG; what stands beside it says what it means, so that it is not read out."""
    return (
        '<svg class="pl-icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
        'stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" '
        f'focusable="false">{SHAPES[name]}</svg>'
    )
