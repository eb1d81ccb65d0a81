"""The three recurrent units of Chung et al. (2014), arXiv:1412.3555, section 3, by name."""

from gatedtui.units.gru import GRU
from gatedtui.units.lstm import LSTM
from gatedtui.units.tanh import Tanh

UNITS = {"tanh": Tanh, "lstm": LSTM, "gru": GRU}

__all__ = ["GRU", "LSTM", "UNITS", "Tanh"]
