"""The browser components as Streamlit finds them.

Streamlit looks for a package with the distribution's own name and serves the `asset_dir` of pyproject.toml beside it.
`python -m ui.components.build` fills assets/.
"""
