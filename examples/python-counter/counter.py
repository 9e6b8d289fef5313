"""Counts visits in Redis, with Debian's Flask."""

import os

import redis
from flask import Flask, jsonify

app = Flask(__name__)
store = redis.Redis.from_url(os.environ.get("STORE_URL", "redis://localhost:6379"))


def count_visit(counter):
    """One more visit; answers how many there were."""
    return int(counter.incr("visits"))


@app.get("/")
def show():
    return jsonify(visits=count_visit(store), environment=os.environ.get("PLATFORM_ENVIRONMENT", "nowhere"))
