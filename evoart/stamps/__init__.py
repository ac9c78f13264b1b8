"""Where stamps come from: SVG files, the silhouettes of pictures, and letters of fonts."""
