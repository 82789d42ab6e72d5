"""How the console writes dates; Django finds the module by `FORMAT_MODULE_PATH`."""
