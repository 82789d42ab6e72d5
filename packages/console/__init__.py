"""The review console: admin pages that show queues and reviews, and call the verbs of `packages.reviewing`."""
