"""Letters that print like small Latin ones, and which. Data.

Compatibility forms (full width, bold, ligatures) and accents are taken off by Unicode's own rules; these have no such
rule (Unicode TR 39 calls them confusable). Only those that look the same in a usual typeface.
"""

LOOK_ALIKES = {
    "a": "аαɑᴀ", "b": "вьбβʙ", "c": "сϲᴄ", "d": "ԁɗđᴅ", "e": "еεєᴇ", "f": "ꜰ", "g": "ɡɢ", "h": "һнħʜ", "i": "іιıɩɪӏ",
    "j": "јϳȷᴊ", "k": "кκᴋ", "l": "ƚłʟ", "m": "мᴍ", "n": "пηɴ", "o": "оοσøᴏ", "p": "рρᴘ", "q": "ԛ", "r": "гʀ",
    "s": "ѕꜱ", "t": "тτᴛ", "u": "υμᴜ", "v": "νѵᴠ", "w": "ԝωᴡ", "x": "хχ", "y": "уγʏ", "z": "ᴢ", "'": "’ʼ‘`′",
    "-": "‐‒–—−",
}  # fmt: skip
LETTERS = str.maketrans({other: letter for letter, others in LOOK_ALIKES.items() for other in others})
