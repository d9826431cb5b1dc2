"""The tables of today, by their names; what they are made of is for the migrations to say."""

from peewee import Table

users = Table("users")
articles = Table("articles")
sessions = Table("sessions")
counters = Table("counters")
audit_entries = Table("audit_entries")
