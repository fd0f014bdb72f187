"""How the window looks: Qt's palette and one style sheet, made from the theme's named colours."""

from __future__ import annotations

from importlib.resources import as_file, files

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from desktop_app.letters import small_pixels
from desktop_app.theme import DARK, GRID, LIGHT, Theme

_ROLES = QPalette.ColorRole
_HEIGHT = 4 * GRID
"""Buttons and fields are this high, so that they stand in one line."""


def apply_theme(app: QApplication, choice: str) -> None:
    """Dress the application.

    Args:
        app: the application.
        choice: ``dark``, ``light``, or ``system`` for what the system asks for.
    """
    if choice == "system":
        choice = "light" if app.styleHints().colorScheme() is Qt.ColorScheme.Light else "dark"
    theme = LIGHT if choice == "light" else DARK
    app.setStyle("Fusion")
    app.setPalette(_palette(theme))
    app.setStyleSheet(_sheet(theme))


def _palette(theme: Theme) -> QPalette:
    palette = QPalette()
    for role, colour in (
        (_ROLES.Window, theme.ground),
        (_ROLES.WindowText, theme.text),
        (_ROLES.Base, theme.panel),
        (_ROLES.AlternateBase, theme.raised),
        (_ROLES.Text, theme.text),
        (_ROLES.Button, theme.raised),
        (_ROLES.ButtonText, theme.text),
        (_ROLES.BrightText, theme.bad),
        (_ROLES.ToolTipBase, theme.raised),
        (_ROLES.ToolTipText, theme.text),
        (_ROLES.PlaceholderText, theme.muted),
        (_ROLES.Highlight, theme.accent),
        (_ROLES.HighlightedText, theme.on_accent),
        (_ROLES.Link, theme.accent),
        (_ROLES.Light, theme.raised),
        (_ROLES.Midlight, theme.raised),
        (_ROLES.Mid, theme.line),
        (_ROLES.Dark, theme.line),
        (_ROLES.Accent, theme.accent),
    ):
        palette.setColor(role, QColor(colour))
    for role in (_ROLES.WindowText, _ROLES.Text, _ROLES.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(theme.faded))
    return palette


def _sheet(theme: Theme) -> str:
    half, small = GRID // 2, small_pixels()
    arrow = _icon_path("chevron_on_dark" if theme.is_dark else "chevron_on_light")
    tick = _icon_path("tick_on_dark" if theme.is_dark else "tick_on_light")
    hover = _mixed(theme.raised, theme.text, 0.08)
    pressed = _mixed(theme.raised, theme.text, 0.16)
    accent_hover = _mixed(theme.accent, theme.text, 0.15)
    return f"""
QToolTip {{ background: {theme.raised}; color: {theme.text}; border: 1px solid {theme.line}; padding: {half}px; }}
QMenuBar {{ background: {theme.ground}; color: {theme.muted}; }}
QMenuBar::item {{ padding: {half}px {GRID}px; border-radius: 4px; }}
QMenuBar::item:selected {{ background: {theme.raised}; color: {theme.text}; }}
QMenu {{ background: {theme.raised}; border: 1px solid {theme.line}; padding: {half}px; }}
QMenu::item {{ padding: 6px 24px 6px 12px; border-radius: 4px; }}
QMenu::item:selected {{ background: {theme.accent}; color: {theme.on_accent}; }}
QMenu::item:disabled {{ color: {theme.faded}; }}
QMenu::separator {{ height: 1px; background: {theme.line}; margin: {half}px {GRID}px; }}
QSplitter::handle {{ background: {theme.ground}; }}
QSplitter::handle:hover {{ background: {theme.accent}; }}
QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; border: none; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar::handle:vertical {{ background: {theme.line}; border-radius: 4px; min-height: 32px; margin: 1px; }}
QScrollBar::handle:vertical:hover {{ background: {theme.muted}; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
QScrollBar::handle:horizontal {{ background: {theme.line}; border-radius: 4px; min-width: 32px; margin: 1px; }}
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{
    background: none; border: none; width: 0; height: 0; }}

QPushButton, QToolButton {{ background: {theme.raised}; color: {theme.text}; border: 1px solid {theme.line};
    border-radius: 6px; padding: 5px 12px; min-height: {_HEIGHT - 12}px; }}
QToolButton {{ padding: 5px; }}
QToolButton[kind=""], QToolButton[kind="small"], QToolButton[kind="chip"] {{ max-height: {_HEIGHT - 12}px; }}
QPushButton:hover, QToolButton:hover {{ background: {hover}; }}
QPushButton:pressed, QToolButton:pressed {{ background: {pressed}; }}
QPushButton:checked, QToolButton:checked {{ border-color: {theme.accent}; color: {theme.accent}; }}
QPushButton:focus, QToolButton:focus {{ border-color: {theme.accent}; }}
QPushButton:checked:focus, QToolButton:checked:focus {{ border-color: {theme.text}; }}
QPushButton:disabled, QToolButton:disabled {{ color: {theme.faded}; background: {theme.panel}; }}
QPushButton[kind="primary"] {{ background: {theme.accent}; color: {theme.on_accent}; border-color: {theme.accent};
    font-weight: 600; }}
QPushButton[kind="primary"]:hover {{ background: {accent_hover}; }}
QPushButton[kind="primary"]:focus {{ border-color: {theme.text}; }}
QPushButton[kind="primary"]:disabled {{ background: {theme.raised}; color: {theme.faded}; border-color: {theme.line}; }}
QPushButton[kind="link"] {{ background: transparent; border: none; color: {theme.accent}; padding: 2px 0;
    text-align: left; min-height: {_HEIGHT // 2}px; }}
QPushButton[kind="link"]:hover, QPushButton[kind="link"]:focus {{ text-decoration: underline; }}
QToolButton[kind="flat"] {{ background: transparent; border-color: transparent; }}
QToolButton[kind="flat"]:hover {{ background: {hover}; }}
QToolButton[kind="flat"]:checked {{ background: {hover}; color: {theme.accent}; }}
QToolButton[kind="flat"]:focus {{ border-color: {theme.accent}; }}
QToolButton[kind="over"] {{ border-radius: 11px; padding: 0; min-width: 22px; max-width: 22px;
    min-height: 22px; max-height: 22px; }}
QToolButton[kind="tiny"] {{ background: transparent; border-color: transparent; padding: 4px; min-height: 0; }}
QToolButton[kind="tiny"]:hover {{ background: {hover}; }}
QToolButton[kind="tiny"]:focus {{ border-color: {theme.accent}; }}
QToolButton[kind="small"] {{ padding: 5px 0; }}
QToolButton[kind="tab"] {{ background: transparent; border: 1px solid transparent; border-bottom-width: 2px;
    border-radius: 0; color: {theme.muted}; padding: 6px 7px;
    min-height: 0; }}
QToolButton[kind="tab"]:hover {{ color: {theme.text}; }}
QToolButton[kind="tab"]:checked {{ color: {theme.text}; border-bottom-color: {theme.accent}; }}
QToolButton[kind="tab"]:focus {{ border-color: {theme.accent}; }}
QToolButton[kind="chip"] {{ padding: 5px 6px; }}
QToolButton[kind="chip"]:checked {{ background: {hover}; }}
QToolButton[kind="fold"] {{ background: transparent; border: none; color: {theme.muted}; padding: 4px 0;
    min-height: 0; }}
QToolButton[kind="fold"]:hover, QToolButton[kind="fold"]:focus {{ color: {theme.text}; }}
QToolButton::menu-indicator {{ image: none; width: 0; }}

QLineEdit, QPlainTextEdit, QTextEdit, QAbstractSpinBox, QComboBox {{ background: {theme.ground}; color: {theme.text};
    border: 1px solid {theme.line}; border-radius: 6px; padding: 5px 8px; min-height: {_HEIGHT - 12}px;
    selection-background-color: {theme.accent}; selection-color: {theme.on_accent}; }}
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QAbstractSpinBox:focus, QComboBox:focus {{
    border-color: {theme.accent}; }}
QLineEdit[tone="bad"], QLineEdit[tone="bad"]:focus {{ border-color: {theme.bad}; }}
QPlainTextEdit, QTextEdit {{ min-height: 0; }}
QAbstractSpinBox {{ padding: 0; min-height: {_HEIGHT - 2}px; max-height: {_HEIGHT - 2}px; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ width: 0; border: none; }}
QAbstractSpinBox QLineEdit {{ border: none; background: transparent; min-height: 0; padding: 0; }}
QComboBox::drop-down {{ border: none; width: 22px; }}
QComboBox::down-arrow {{ image: url("{arrow}"); width: 12px; height: 12px; }}
QComboBox QAbstractItemView {{ background: {theme.raised}; border: 1px solid {theme.line}; outline: none; }}
QCheckBox, QRadioButton {{ spacing: {GRID}px; }}
QCheckBox[text=""] {{ spacing: 0; }}
QCheckBox::indicator, QRadioButton::indicator {{ width: 14px; height: 14px; border: 1px solid {theme.muted};
    border-radius: 4px; background: {theme.ground}; }}
QRadioButton::indicator {{ border-radius: 8px; }}
QCheckBox::indicator:checked {{ background: {theme.accent}; border-color: {theme.accent}; image: url("{tick}"); }}
QRadioButton::indicator:checked {{ background: {theme.on_accent}; border: 4px solid {theme.accent}; width: 8px;
    height: 8px; }}
QCheckBox::indicator:focus, QCheckBox::indicator:hover, QRadioButton::indicator:focus, QRadioButton::indicator:hover {{
    border-color: {theme.accent}; }}
QCheckBox::indicator:checked:focus, QRadioButton::indicator:checked:focus {{ border-color: {theme.text}; }}
CommandPalette {{ background: {theme.raised}; border: 1px solid {theme.line}; }}
CommandPalette QTreeWidget {{ background: transparent; border: none; }}
QListView, QTableView, QUndoView {{ background: transparent; border: 1px solid transparent; border-radius: 6px;
    outline: none;
    alternate-background-color: {theme.raised}; gridline-color: {theme.line}; }}
QTreeView {{ background: {theme.panel}; border: 1px solid {theme.line}; border-radius: 6px; outline: none; }}
QListView:focus, QTableView:focus, QUndoView:focus, QTreeView:focus {{ border-color: {theme.accent}; }}
QTreeView::item, QTableView::item {{ padding: {half}px; }}
QTreeView::item:selected {{ background: {theme.accent}; color: {theme.on_accent}; }}
QListView::item, QUndoView::item {{ padding: 6px {GRID}px; border-radius: 4px; }}
QListView::item:selected, QTableView::item:selected {{ background: {theme.accent}; color: {theme.on_accent}; }}
QHeaderView::section {{ background: {theme.panel}; color: {theme.muted}; border: none;
    border-bottom: 1px solid {theme.line}; padding: 6px 7px; }}
QProgressBar {{ background: {theme.line}; border: none; border-radius: 3px; height: 6px; max-height: 6px; }}
QProgressBar::chunk {{ background: {theme.accent}; border-radius: 3px; }}
QSlider::groove:horizontal {{ background: {theme.line}; height: 4px; border-radius: 2px; }}
QSlider::sub-page:horizontal {{ background: {theme.accent}; border-radius: 2px; }}
QSlider::handle:horizontal {{ background: {theme.text}; width: 12px; height: 12px; margin: -4px 0;
    border-radius: 6px; }}
QSlider::handle:horizontal:focus {{ background: {theme.accent}; }}

QFrame[kind="panel"], QWidget[kind="panel"] {{ background: {theme.panel}; border-radius: 8px; }}
QFrame[kind="card"] {{ background: {theme.raised}; border: 1px solid {theme.line}; border-radius: 8px; }}
QFrame[kind="rule"] {{ background: {theme.line}; max-height: 1px; min-height: 1px; border: none; }}
QLabel {{ background: transparent; }}
QLabel[kind="muted"] {{ color: {theme.muted}; }}
QLabel[kind="title"] {{ font-size: 20px; font-weight: 600; }}
QLabel[kind="number"] {{ font-size: 34px; font-weight: 600; }}
QLabel[kind="heading"] {{ color: {theme.muted}; font-size: {small}px; font-weight: 600; }}
QLabel[kind="small"] {{ color: {theme.muted}; font-size: {small}px; }}
QLabel[kind="verdict"] {{ font-size: 15px; font-weight: 600; }}
QLabel[kind="outcome"] {{ font-weight: 600; }}
QLabel[kind="badge"] {{ color: {theme.muted}; background: {theme.raised}; border-radius: 4px; padding: 2px 6px; }}
QLabel[tone="good"] {{ color: {theme.good}; }}
QLabel[tone="poor"] {{ color: {theme.poor}; }}
QLabel[tone="bad"] {{ color: {theme.bad}; }}
QLabel[kind="mono"], QPlainTextEdit[kind="mono"] {{ font-family: monospace; }}
"""


def _icon_path(name: str) -> str:
    """Return the path of a drawing, as style sheets want it; they take nothing but files."""
    with as_file(files("resources").joinpath("icons", f"{name}.svg")) as path:
        return path.as_posix()


def _mixed(one: str, other: str, share: float) -> str:
    """Return a colour between two, ``share`` of the way to the other."""
    a, b = QColor(one), QColor(other)
    return QColor.fromRgbF(
        a.redF() + (b.redF() - a.redF()) * share,
        a.greenF() + (b.greenF() - a.greenF()) * share,
        a.blueF() + (b.blueF() - a.blueF()) * share,
    ).name()
