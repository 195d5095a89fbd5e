"""Functions of the kind that people give to a voice assistant."""

from __future__ import annotations

from rt_notebook.server.engine.effects import Tool


def _tool(name, description, properties, required=None):
    required = list(properties) if required is None else required
    return Tool(name, description, {"type": "object", "properties": properties, "required": required})


def _text(description="", **more):
    return {"type": "string", "description": description} | more


TOOLS = {
    tool.name: tool
    for tool in [
        _tool(
            "get_weather",
            "Get the current weather for a city.",
            {"city": _text("The name of the city"), "unit": _text(enum=["celsius", "fahrenheit"])},
            ["city"],
        ),
        _tool(
            "set_timer",
            "Start a countdown timer.",
            {
                "minutes": {"type": "integer", "minimum": 1, "maximum": 180},
                "label": _text("What the timer is for"),
            },
            ["minutes"],
        ),
        _tool(
            "set_light",
            "Switch the lights of a room on or off.",
            {
                "room": _text(enum=["kitchen", "bedroom", "living room", "bathroom"]),
                "state": _text(enum=["on", "off"]),
            },
        ),
        _tool(
            "send_message",
            "Send a text message to a contact.",
            {"recipient": _text("Name of the contact"), "text": _text("The words of the message")},
        ),
        _tool(
            "search_flights",
            "Search for flights between two airports or cities.",
            {"origin": _text("City of departure"), "destination": _text("City of arrival")},
        ),
        _tool(
            "play_music",
            "Play a song, an artist or an album.",
            {"query": _text("Name of the song, artist or album")},
        ),
        _tool(
            "convert_currency",
            "Convert an amount of money from one currency to another.",
            {
                "amount": {"type": "number"},
                "from_currency": _text(enum=["USD", "EUR", "GBP", "JPY"]),
                "to_currency": _text(enum=["USD", "EUR", "GBP", "JPY"]),
            },
        ),
        _tool("add_todo", "Add an item to the shopping or to-do list.", {"item": _text("What to add")}),
        _tool(
            "book_table",
            "Reserve a table at a restaurant.",
            {
                "restaurant": _text("Name of the restaurant"),
                "people": {"type": "integer", "minimum": 1, "maximum": 20},
            },
        ),
        _tool(
            "get_stock_price",
            "Get the latest stock price of a company.",
            {"company": _text("Company name or ticker symbol")},
        ),
        _tool(
            "translate",
            "Translate a phrase into another language.",
            {
                "text": _text("The phrase to translate"),
                "language": _text("Target language", enum=["French", "German", "Spanish", "Italian"]),
            },
        ),
        _tool("get_battery_level", "Tell how much battery charge is left.", {}),
        _tool(
            "look_up_order",
            "Look up the delivery status of a customer's order.",
            {"order_id": _text("The order number")},
        ),
        _tool("get_time", "Get the current local time of a city.", {"city": _text("City name")}),
        _tool(
            "set_temperature",
            "Set the thermostat to a temperature in degrees.",
            {"degrees": {"type": "number", "minimum": 5, "maximum": 35}},
        ),
        _tool(
            "transfer_to_agent",
            "Transfer the caller to a human support agent.",
            {"reason": _text("Why the caller needs an agent")},
        ),
        _tool(
            "getCurrentWeather",
            "Determine weather in my location",
            {"location": _text("The city and state e.g. San Francisco, CA"), "unit": _text(enum=["c", "f"])},
            ["location"],
        ),
        _tool(
            "create_reminder",
            "Create a reminder for the user.",
            {"title": _text("What to remember"), "time": _text("When to remind, e.g. 5 pm or tomorrow")},
            ["title"],
        ),
        _tool(
            "get_horoscope",
            "Get today's horoscope for an astrological sign.",
            {
                "sign": _text(
                    "An astrological sign like Taurus or Aquarius",
                    enum=["Aries", "Taurus", "Gemini", "Cancer", "Leo", "Virgo", "Libra", "Scorpio"],
                )
            },
        ),
        _tool(
            "check_inventory",
            "Check whether a product is in stock.",
            {"product": _text("Product name"), "quantity": {"type": "integer", "minimum": 1}},
            ["product"],
        ),
        _tool(
            "calculate_tip",
            "Calculate the tip for a bill.",
            {
                "bill_amount": {"type": "number", "description": "The bill in dollars"},
                "percent": {"type": "number", "description": "Tip percentage"},
            },
        ),
        _tool(
            "find_recipe",
            "Find a recipe with given ingredients.",
            {
                "ingredients": {"type": "array", "items": {"type": "string"}},
                "vegetarian": {"type": "boolean"},
            },
            ["ingredients"],
        ),
        _tool(
            "set_volume",
            "Change the speaker volume.",
            {"level": {"type": "integer", "minimum": 0, "maximum": 100}},
        ),
        _tool(
            "schedule_meeting",
            "Schedule a meeting in the calendar.",
            {
                "attendees": {"type": "array", "items": {"type": "string"}, "description": "Who takes part"},
                "duration_minutes": {"type": "integer"},
                "location": {
                    "type": "object",
                    "properties": {"room": {"type": "string", "description": "Name of the room"}},
                    "required": ["room"],
                },
            },
            ["attendees", "duration_minutes"],
        ),
        _tool("search_web", "Search the web for information.", {"query": _text("Search query")}),
        _tool(
            "get_exchange_rate",
            "Get the exchange rate between two currencies.",
            {
                "base": _text("Three-letter code", pattern="^[A-Z]{3}$"),
                "quote": _text("Three-letter code", pattern="^[A-Z]{3}$"),
            },
        ),
        _tool("hang_up", "End the phone call.", {}),
        _tool("open_garage_door", "Open the garage door.", {}),
        _tool(
            "book_flight",
            "Book a flight ticket.",
            {
                "from": _text(),
                "to": _text(),
                "passengers": {"type": "integer", "minimum": 1, "maximum": 9},
                "cabin": _text(enum=["economy", "business", "first"]),
            },
            ["from", "to"],
        ),
        _tool("get_definition", "Look up a word in the dictionary.", {"word": _text("The word to look up")}),
    ]
}
