# Runs after every reset, before main.py; nothing to set up here.
