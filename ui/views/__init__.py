"""One module per page; each has a function `page`, which `ui.app` hangs into the navigation.

Not named `pages`: Streamlit would run the files of such a folder by itself.
"""
