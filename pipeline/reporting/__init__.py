"""What a reader looks at when the run is done: the page, the Markdown leaderboard, figures for DVC, the Turing test."""
