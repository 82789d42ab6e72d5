"""The webhook engine: claims what is due, sends many at once, records each outcome, plans the retries.

All state stands in the database (spec 4 "Events and webhooks", spec 6 "retry state in the database"); a
Celery message only says that somebody should look. `drain` runs the others, one in a process at a time (`guard`), with
the database asked beside it (`side_job`): `claims` takes due deliveries
under a lease, as far as caps, rate limits and `breakers` leave room, for the addresses in `targets`; `requests`
signs them; `outcomes` and `retries` say what an answer means; `recording` writes it down under the claim's fence,
and `standing` what it says of the endpoint, of whose end `disabling` tells. `resending`, `recovering` and `enabling`
hold the verbs of the API, the console and the commands; `recovery_batches` carries out what `recovering` wrote down;
`purging` forgets what is old.
"""
