"""The network, its objective, its training and its export. The only room that imports torch."""
