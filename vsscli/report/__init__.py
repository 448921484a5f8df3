"""What people look at: the report as one HTML file, and overlays as films."""
