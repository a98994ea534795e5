"""The suite: a package, so that none that is installed, such as sniffpy's, is taken for it."""
