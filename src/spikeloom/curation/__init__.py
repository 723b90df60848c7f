"""Manual curation as values: states, edits that know their inverse, history, selection.

Nothing here knows of a server, a page or a file format.
"""
