"""The instrument: labelled recordings or texts in, figures out. It runs the product's own code and knows nothing about
what is said.
"""
