"""A scene: meshes, where they stand, how they move, the air and the camera."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from vsscli.data.world.camera import Camera
from vsscli.data.world.geometry import HOME, Matrix, Shape
from vsscli.data.world.mesh import Brush, Color, Mesh
from vsscli.data.world.shade import Air

#: Where the parts of something stand at a time in seconds.
Motion = Callable[[float], Sequence[Matrix]]


@dataclass
class Scene:
    """What there is to film. Parts are placed once (`put`) or at every frame (`act`)."""

    camera: Camera
    air: Air
    floor: Mesh = field(default_factory=Mesh)  # painted first, in order: what lies on the ground
    meshes: list[Mesh] = field(default_factory=list)
    places: list[Matrix] = field(default_factory=list)
    tints: list[Color] = field(default_factory=list)
    casts: list[bool] = field(default_factory=list)
    motions: list[tuple[int, int, Motion]] = field(default_factory=list)

    def lay(self, shape: Shape, brush: Brush) -> None:
        """Paints ``shape`` on the ground, over what was laid before."""
        self.floor.add(shape, brush)

    def put(self, mesh: Mesh, place: Matrix = HOME, *, tint: Color = (1.0, 1.0, 1.0), casts: bool = True) -> None:
        """Places ``mesh``; ``tint`` multiplies its colours, ``casts`` says whether it throws a shadow."""
        self.meshes.append(mesh)
        self.places.append(place)
        self.tints.append(tint)
        self.casts.append(casts)

    def act(self, parts: Sequence[Mesh], motion: Motion, *, casts: bool = True) -> None:
        """Places ``parts`` where ``motion`` puts them, one matrix a part."""
        start = len(self.meshes)
        for part in parts:
            self.put(part, casts=casts)
        self.motions.append((start, len(self.meshes), motion))
