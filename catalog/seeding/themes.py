"""One theme for each category of the catalog."""

from catalog.seeding.fields import Field, Part, Theme

THEMES: tuple[Theme, ...] = (
    Theme(
        "business", "invoice", "what is open, who pays late and what comes in this week",
        ("Invoices", "Cash Flow", "Suppliers", "Contracts", "Payroll"),
        ("invoices", "accounting", "receivables", "company"),
        Field("ledger", "main", "Ledger to look at."),
        Part("open_invoices", "Open invoices of a ledger at a glance", (
            Field("status", "on track", "Whether customers pay in time.", options=("on track", "late", "overdue")),
            Field("open_amount", 18240.5, "Sum of all open invoices in euros."),
            Field("paid_percent", 72, "Share that was paid in time.", most=100))),
        Part("send_reminder", "Remind a customer of an open invoice", (
            Field("invoice_number", "2026-0117", "Invoice to remind of."),
            Field("tone", "friendly", "How the reminder sounds.", options=("friendly", "firm")))),
        Part("recent_payments", "Payments that came in, newest first", (
            Field("payer", "Harbour Grocers", "Who paid."), Field("amount", 640.0, "Amount in euros."))),
    ),
    Theme(
        "communication", "message", "what is unread, who waits for an answer and when to call back",
        ("Inbox", "Voicemail", "Team Chat", "Callbacks", "Newsletters"),
        ("messages", "mail", "chat", "unread"),
        Field("folder", "inbox", "Folder to look at."),
        Part("unread_messages", "How many messages wait and from whom", (
            Field("most_urgent_sender", "Maja Lind", "Who waits longest."),
            Field("unread_count", 12, "Messages not read yet."),
            Field("answered_percent", 84, "Share answered within a day.", most=100))),
        Part("send_message", "Send a short message to a contact", (
            Field("recipient", "Maja Lind", "Who gets it."), Field("text", "On my way.", "What it says."))),
        Part("recent_messages", "Messages of the last days, newest first", (
            Field("sender", "Jonas Berg", "Who wrote."), Field("words", 41, "Length in words."))),
        mark="health",
    ),
    Theme(
        "developer-tools", "build", "which builds fail, what is deployed and who is on call",
        ("Builds", "Deploys", "On Call", "Error Budget", "Code Review"),
        ("ci", "deploy", "monitoring", "code"),
        Field("project", "storefront", "Project to look at."),
        Part("build_status", "State of the newest build of a project", (
            Field("branch", "main", "Branch of the build."),
            Field("duration_seconds", 312, "How long it took."),
            Field("coverage_percent", 91, "Lines covered by tests.", most=100))),
        Part("restart_build", "Run the newest build of a branch again", (
            Field("project", "storefront", "Project to build."), Field("branch", "main", "Branch to build."))),
        Part("recent_deploys", "Deploys of a project, newest first", (
            Field("release", "v4.12.0", "What was deployed."), Field("minutes", 6, "How long it took."))),
        mark="credential",
    ),
    Theme(
        "education", "lesson", "what to learn next, how far one has come and which test is near",
        ("Vocabulary", "Maths Coach", "Exam Planner", "Reading Club", "Flashcards"),
        ("learning", "school", "language", "exam"),
        Field("course", "Spanish A2", "Course to look at."),
        Part("course_progress", "How far a learner is in a course", (
            Field("next_lesson", "At the market", "Title of the next lesson."),
            Field("streak_days", 9, "Days in a row with a lesson."),
            Field("done_percent", 46, "Share of lessons done.", most=100))),
        Part("plan_lesson", "Put a lesson into the learner's week", (
            Field("course", "Spanish A2", "Course of the lesson."), Field("minutes", 20, "How long it takes."))),
        Part("finished_lessons", "Lessons done, newest first", (
            Field("title", "In the kitchen", "Title of the lesson."), Field("score", 88, "Points of 100.", most=100))),
        mark="health",
    ),
    Theme(
        "entertainment", "show", "what is on tonight, where a series goes on and which film fits the mood",
        ("Film Night", "Series Guide", "Box Office", "Podcasts", "Game Night"),
        ("films", "series", "tickets", "tonight"),
        Field("city", "Lyon", "City to look at."),
        Part("tonight", "The best that is on tonight", (
            Field("title", "The Long Harbour", "Title of the show."),
            Field("minutes", 118, "How long it runs."),
            Field("rating_percent", 87, "Viewers who liked it.", most=100))),
        Part("reserve_seats", "Reserve seats for a show", (
            Field("title", "The Long Harbour", "Show to see."), Field("seats", 2, "How many seats."))),
        Part("watched_shows", "What was watched lately, newest first", (
            Field("title", "Northern Rail", "Title of the show."), Field("minutes", 52, "Minutes watched."))),
    ),
    Theme(
        "finance", "transaction", "what came in, what goes out and how the month will end",
        ("Budget", "Spending", "Savings Goal", "Portfolio", "Bills"),
        ("bank", "budget", "money", "stocks"),
        Field("account", "everyday", "Account to look at."),
        Part("account_balance", "Balance of an account and what is left of the month's budget", (
            Field("currency", "EUR", "Currency of the amounts.", options=("EUR", "NOK", "GBP", "USD")),
            Field("balance", 2418.37, "Balance now."),
            Field("budget_used_percent", 64, "Share of the budget that is spent.", most=100))),
        Part("move_money", "Move money between two own accounts", (
            Field("to_account", "savings", "Account that gets it."), Field("amount", 50.0, "Amount to move."))),
        Part("recent_transactions", "Transactions of an account, newest first", (
            Field("merchant", "Fjord Coffee", "Who was paid."), Field("amount", 4.8, "Amount paid."))),
    ),
    Theme(
        "food", "recipe", "what to cook with what is there and which table is free tonight",
        ("Recipes", "Pantry", "Table Finder", "Meal Planner", "Wine Cellar"),
        ("cooking", "recipes", "restaurant", "dinner"),
        Field("diet", "vegetarian", "Diet to respect."),
        Part("dish_of_the_day", "A dish that fits the season and the pantry", (
            Field("dish", "Beetroot risotto", "Name of the dish."),
            Field("minutes", 35, "Time to cook."),
            Field("pantry_percent", 80, "Ingredients that are there.", most=100))),
        Part("book_table", "Book a table at a restaurant", (
            Field("restaurant", "Kvarter 9", "Where to eat."), Field("guests", 4, "How many guests."))),
        Part("cooked_dishes", "Dishes cooked lately, newest first", (
            Field("dish", "Lentil soup", "Name of the dish."), Field("portions", 4, "How many portions."))),
        mark="health",
    ),
    Theme(
        "health", "measurement", "how one slept, moved and drank, and what the trend says",
        ("Sleep", "Steps", "Hydration", "Heart Rate", "Medication"),
        ("fitness", "sleep", "steps", "pulse"),
        Field("period", "today", "Period to look at."),
        Part("activity_today", "Movement and rest of today", (
            Field("mood", "rested", "How the day feels.", options=("rested", "tired", "tense")),
            Field("steps", 8312, "Steps so far."),
            Field("goal_percent", 83, "Share of the daily goal.", most=100))),
        Part("log_workout", "Log a workout", (
            Field("kind", "run", "What was done.", options=("run", "swim", "ride", "yoga")),
            Field("minutes", 40, "How long it took."))),
        Part("recent_workouts", "Workouts of the last weeks, newest first", (
            Field("kind", "run", "What was done."), Field("kilometres", 7.4, "Distance."))),
        mark="health",
    ),
    Theme(
        "home", "device", "which lights burn, how warm it is and what the meter says",
        ("Lights", "Heating", "Energy Meter", "Doorbell", "Garden"),
        ("smart home", "energy", "heating", "lights"),
        Field("room", "kitchen", "Room to look at."),
        Part("room_climate", "Temperature and air of a room", (
            Field("air", "fresh", "How the air is.", options=("fresh", "stale")),
            Field("temperature_c", 20.5, "Temperature in degrees Celsius."),
            Field("humidity_percent", 48, "Relative humidity.", most=100))),
        Part("set_temperature", "Set the temperature of a room", (
            Field("room", "kitchen", "Room to heat."), Field("temperature_c", 21.0, "Target in degrees Celsius."))),
        Part("energy_use", "Energy used day by day, newest first", (
            Field("meter", "main", "Meter that was read."), Field("kilowatt_hours", 9.7, "Energy used."))),
        mark="credential",
    ),
    Theme(
        "lifestyle", "habit", "which habits hold, what to wear and when to take a break",
        ("Habits", "Wardrobe", "Journal", "Mindful Minutes", "Gift Ideas"),
        ("habits", "wellbeing", "journal", "routine"),
        Field("habit", "evening walk", "Habit to look at."),
        Part("habit_streak", "How long a habit has held", (
            Field("habit", "evening walk", "Name of the habit."),
            Field("streak_days", 23, "Days in a row."),
            Field("kept_percent", 92, "Days on which it was kept.", most=100))),
        Part("check_habit", "Mark a habit as done today", (
            Field("habit", "evening walk", "Habit that was kept."), Field("note", "Along the river", "A word on it."))),
        Part("journal_entries", "Entries of the journal, newest first", (
            Field("title", "A quiet Sunday", "Title of the entry."), Field("words", 210, "Length in words."))),
        mark="health",
    ),
    Theme(
        "music", "track", "what plays, what is new by one's artists and which concert is near",
        ("Concerts", "Radio", "Charts", "Practice Log", "Playlists"),
        ("music", "concerts", "songs", "playlist"),
        Field("genre", "jazz", "Genre to look at."),
        Part("now_playing", "What plays at this moment", (
            Field("track", "Blue Ferry", "Title of the track."),
            Field("beats_per_minute", 104, "Tempo."),
            Field("played_percent", 37, "How far the track is.", most=100))),
        Part("add_to_playlist", "Add a track to a playlist", (
            Field("track", "Blue Ferry", "Track to add."), Field("playlist", "Evening", "Playlist that gets it."))),
        Part("played_tracks", "Tracks played lately, newest first", (
            Field("track", "Lantern", "Title of the track."), Field("seconds", 214, "How long it was played."))),
    ),
    Theme(
        "news", "story", "what happened over night and which story matters here",
        ("Morning Briefing", "Local News", "Fact Check", "Science Desk", "Markets"),
        ("news", "headlines", "briefing", "local"),
        Field("region", "Tyrol", "Region to look at."),
        Part("top_story", "The story of the hour", (
            Field("headline", "New night train to the coast", "Headline of the story."),
            Field("reading_minutes", 4, "Time to read."),
            Field("sources_percent", 95, "Claims with two sources.", most=100))),
        Part("save_story", "Save a story for later", (
            Field("headline", "New night train to the coast", "Story to keep."),
            Field("folder", "weekend", "Where to keep it."))),
        Part("recent_stories", "Stories of the last days, newest first", (
            Field("headline", "Bridge opens early", "Headline of the story."), Field("words", 640, "Length."))),
    ),
    Theme(
        "productivity", "task", "what is due today, what can wait and how much time is left",
        ("Tasks", "Calendar", "Focus Timer", "Notes", "Meeting Minutes"),
        ("tasks", "calendar", "focus", "to do"),
        Field("project", "garden shed", "Project to look at."),
        Part("tasks_today", "What is due today", (
            Field("next_task", "Order timber", "Task to do next."),
            Field("open_count", 5, "Tasks still open."),
            Field("done_percent", 58, "Share of today's tasks done.", most=100))),
        Part("create_task", "Create a task in a project", (
            Field("title", "Order timber", "What is to be done."),
            Field("priority", "high", "How urgent it is.", options=("low", "medium", "high")))),
        Part("finished_tasks", "Tasks done lately, newest first", (
            Field("title", "Measure the floor", "What was done."), Field("minutes", 25, "Time it took."))),
        mark="credential",
    ),
    Theme(
        "shopping", "order", "where the parcel is, what got cheaper and what to buy again",
        ("Parcels", "Price Watch", "Groceries", "Second Hand", "Wish List"),
        ("parcel", "prices", "delivery", "shop"),
        Field("shop", "Aurora Outfitters", "Shop to look at."),
        Part("parcel_status", "Where the next parcel is", (
            Field("place", "Sorting centre Basel", "Where it was seen last."),
            Field("stops_left", 14, "Stops until the door."),
            Field("way_percent", 76, "Share of the way done.", most=100))),
        Part("reorder_item", "Order an item once more", (
            Field("item", "Oat milk", "What to order."), Field("quantity", 6, "How many."))),
        Part("recent_orders", "Orders of the last months, newest first", (
            Field("shop", "Bergen Books", "Where it was ordered."), Field("amount", 32.9, "Amount in euros."))),
    ),
    Theme(
        "social", "post", "who has a birthday, what friends share and which group meets",
        ("Birthdays", "Groups", "Neighbours", "Photo Circle", "Volunteers"),
        ("friends", "groups", "birthdays", "photos"),
        Field("circle", "family", "Circle to look at."),
        Part("circle_today", "What is new in a circle", (
            Field("person", "Aunt Ida", "Who is in the news."),
            Field("new_posts", 7, "Posts since yesterday."),
            Field("seen_percent", 40, "Share of them that was seen.", most=100))),
        Part("send_greeting", "Send a greeting to somebody", (
            Field("person", "Aunt Ida", "Who gets it."), Field("text", "Many happy returns!", "What it says."))),
        Part("recent_posts", "Posts of a circle, newest first", (
            Field("author", "Nils", "Who posted."), Field("likes", 18, "Likes so far."))),
        mark="health",
    ),
    Theme(
        "sports", "match", "who plays tonight, how the table stands and when to train",
        ("Live Scores", "League Table", "Training Plan", "Ski Report", "Cycling Routes"),
        ("football", "scores", "training", "league"),
        Field("team", "Harbour City", "Team to look at."),
        Part("team_form", "Place and form of a team", (
            Field("next_opponent", "Lakeside", "Who comes next."),
            Field("points", 41, "Points in the table."),
            Field("win_percent", 61, "Share of matches won.", most=100))),
        Part("join_training", "Join a training of a team", (
            Field("team", "Harbour City", "Team to train with."), Field("minutes", 90, "How long."))),
        Part("recent_matches", "Matches of a team, newest first", (
            Field("opponent", "Old Mill", "Who was played."), Field("goals", 3, "Goals of the team."))),
        mark="health",
    ),
    Theme(
        "travel", "trip", "when the train leaves, what the gate is and where to sleep",
        ("Trains", "Flights", "Hotels", "City Bikes", "Packing List"),
        ("train", "flight", "hotel", "holiday"),
        Field("booking", "K7Q2MP", "Booking to look at."),
        Part("next_trip", "The next departure of a booking", (
            Field("destination", "Trieste", "Where it goes."),
            Field("delay_minutes", 4, "Delay at the moment."),
            Field("seats_taken_percent", 69, "Share of seats taken.", most=100))),
        Part("book_seat", "Book a seat on a connection", (
            Field("connection", "EC 151", "Train or flight."), Field("seats", 1, "How many seats."))),
        Part("past_trips", "Trips of the last year, newest first", (
            Field("destination", "Ghent", "Where it went."), Field("kilometres", 412, "Distance."))),
    ),
    Theme(
        "utilities", "reading", "what the meter counts, which contract ends and when bins are emptied",
        ("Unit Converter", "Bin Day", "Meter Reader", "Scanner", "Speed Test"),
        ("tools", "converter", "meter", "everyday"),
        Field("address", "Quay 4", "Address to look at."),
        Part("meter_reading", "The newest reading of a meter", (
            Field("meter", "water", "Which meter.", options=("water", "gas", "power")),
            Field("count", 1834.2, "What it counts."),
            Field("year_percent", 55, "Share of last year's use.", most=100))),
        Part("report_reading", "Report a reading to the supplier", (
            Field("meter", "water", "Which meter."), Field("count", 1834.2, "What it counts."))),
        Part("past_readings", "Readings of the last years, newest first", (
            Field("meter", "water", "Which meter."), Field("count", 1799.0, "What it counted."))),
    ),
    Theme(
        "weather", "forecast", "what the sky does next and whether to take an umbrella",
        ("Forecast", "Rain Radar", "Pollen", "Tides", "Storm Watch"),
        ("rain", "temperature", "wind", "storm"),
        Field("location", "Oslo", "Place to look at."),
        Part("current_weather", "Current weather conditions for a location", (
            Field("condition", "cloudy", "What the sky looks like.", options=("sunny", "cloudy", "rainy", "snowy")),
            Field("temperature_c", 17.3, "Air temperature in degrees Celsius."),
            Field("humidity_percent", 63, "Relative humidity.", most=100))),
        Part("watch_place", "Tell when the weather at a place turns", (
            Field("location", "Oslo", "Place to watch."), Field("rain_mm", 5, "Rain an hour that counts."))),
        Part("past_weather", "Weather of the last days, newest first", (
            Field("condition", "rainy", "What the sky looked like."), Field("rain_mm", 11.5, "Rain of the day."))),
        mark="health",
    ),
)  # fmt: skip
