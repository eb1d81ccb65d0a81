"""The app's two themes: the same hues on dark and on light ground, chosen with a key or in the command palette."""

from textual.theme import Theme

DARK = Theme(
    name="gated",
    primary="#4a9be8",
    secondary="#35b779",
    accent="#f08c2e",
    warning="#d98e04",
    error="#e5484d",
    success="#2fa36b",
    foreground="#d8dbe2",
    background="#0f1116",
    surface="#14171d",
    panel="#1d2129",
    dark=True,
)
LIGHT = Theme(
    name="gated-light",
    primary="#1f6fbf",
    secondary="#1c7f52",
    accent="#b85a00",
    warning="#8f5d00",
    error="#c0282d",
    success="#1c7f52",
    foreground="#1b1e25",
    background="#fbfbf9",
    surface="#f2f2ef",
    panel="#e4e4e0",
    dark=False,
)
THEMES = (DARK, LIGHT)
