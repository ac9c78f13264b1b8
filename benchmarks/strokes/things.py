"""What the model of things learns from: sets of icons that are drawn by a pen, and names by which each has a thing."""

from __future__ import annotations

# npm packages @iconify-json/NAME whose pictures are strokes, under MIT, ISC, Apache-2.0 or the Unlicense.
SETS = {  # versions: with others the drawings are others
    "akar-icons": "1.2.7", "bytesize": "1.2.2", "charm": "1.2.3", "feather": "1.2.1", "flowbite": "1.2.7",
    "heroicons-outline": "1.2.1", "hugeicons": "1.2.35", "humbleicons": "1.2.20", "icon-park-outline": "1.2.4",
    "iconoir": "1.2.11", "ion": "1.2.7", "line-md": "1.2.16", "lucide": "1.2.137", "lucide-lab": "1.2.3",
    "mage": "1.2.4", "majesticons": "1.2.5", "meteor-icons": "1.2.8", "mynaui": "1.2.19", "proicons": "1.2.20",
    "si": "1.2.17", "system-uicons": "1.2.4", "tabler": "1.2.41", "teenyicons": "1.2.2",
}  # fmt: skip
# These the model never sees: reconstructions are judged by them.
HELD_OUT = ("feather", "iconoir", "mynaui")
# Words that say how a picture is drawn, and not of what.
STYLES = (
    "alt|one|two|three|four|five|six|line|linear|light|thin|bold|simple|outline|regular|round|rounded|sharp|stroke|"
    r"icon|symbol|left|right|open|\d+|[a-f]|alt\d|fill|md|sm|empty|full|default|circle-outline"
)
THINGS = {
    "apple": "apple|apple-whole|apple-fruit|fruit-apple",
    "bell": "bell|notification-bell|alarm-bell",
    "bulb": "bulb|lightbulb|light-bulb|lamp-bulb",
    "cloud": "cloud",
    "crown": "crown",
    "cup": "cup|coffee|mug|coffee-cup|tea-cup|teacup|cup-hot|coffee-mug|mug-hot|mug-tea",
    "face": "smile|smiley|happy|mood-happy|mood-smile|emoji-happy|emoji-smile|face-smile|mood-sad|sad|face-happy|"
    "smiling-face|mood-neutral|neutral|frown|meh|slightly-smiling-face|face-sad|emoji-sad|emoji-normal|happy-face|"
    "smile-face|mood-smile-beam|grinning-face|emoji-smiling|sad-face|face-frowning",
    "fish": "fish|fish-alt",
    "flag": "flag|flag-alt|flag-triangle",
    "heart": "heart",
    "house": "home|house|home-alt|home-simple|home-simple-door",
    "key": "key|key-round",
    "leaf": "leaf",
    "moon": "moon|crescent|crescent-moon|half-moon",
    "sailboat": "sailboat|sail-boat|sailing|boat|sailboat-offshore|sailboat-coastal",
    "star": "star",
    "tree": "tree|tree-deciduous|deciduous-tree|tree-pine|pine-tree|tree-fir|tree-round",
    "umbrella": "umbrella|umbrella-open|open-umbrella",
}
