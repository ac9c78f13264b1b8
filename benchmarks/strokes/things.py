"""What the model of things learns from: sets of icons that are drawn by a pen, and names by which each has a thing."""

from __future__ import annotations

# npm packages @iconify-json/NAME whose pictures are strokes, under MIT, ISC, Apache-2.0 or the Unlicense.
SETS = (
    "akar-icons", "bytesize", "charm", "feather", "flowbite", "heroicons-outline", "hugeicons", "humbleicons",
    "icon-park-outline", "iconoir", "ion", "line-md", "lucide", "lucide-lab", "mage", "majesticons", "meteor-icons",
    "mynaui", "proicons", "si", "system-uicons", "tabler", "teenyicons",
)  # fmt: skip
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
