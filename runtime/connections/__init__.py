"""Connections: a user's access at the provider's own service, for one install (spec 4 "Auth profiles and connections").

`authorization` sends a user to the provider and redeems what comes back, `validation` checks keys and fields
that a user enters, `stored` keeps and opens what was got, `refreshing` renews access tokens ahead of their end,
`revoking` gives them back, `rounds` has both work off what is due, and `use` hands a call what it needs.
"""
