"""Health of runtime apps: who is checked when, what one check sees, what it changes (spec 4 "Health").

`schedule` spreads the due times over the minute, `claims` takes what is due under a lease and a fence, `looking`
asks a health URL, `recording` writes many results down at once, `loop` runs the four for all apps, `on_demand` for
one, `history` reads and purges what was seen. When an app is due stands in the database alone: a second beat or
worker checks nothing twice, and after a pause each app is caught up once.
"""
