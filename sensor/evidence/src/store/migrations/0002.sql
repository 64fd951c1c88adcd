-- Alerts beyond the day's budget have the name that events have for them. The view `alerts` follows.
ALTER TABLE alert RENAME COLUMN kept_back TO suppressed;
