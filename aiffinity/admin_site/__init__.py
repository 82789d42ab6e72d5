"""The staff console's frame: its site, sidebar, login and content security policy; it knows every room."""
