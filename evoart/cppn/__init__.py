"""Compositional pattern-producing networks (K. O. Stanley, 2007): a point's coordinates in, its colour out.

A picture is a network, so it has no resolution. Two kinds: layers of a fixed size (``layers``) and graphs whose
topology evolves (``graph``). Both are drawn by ``paint``; nothing here knows of searches, scores or files.
"""
