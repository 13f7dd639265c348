//! Small pictures for buttons, drawn with lines: sharp at every size, and no font has to have them.

use eframe::egui::{Color32, CornerRadius, Painter, Pos2, Rect, Shape, Stroke, StrokeKind, Vec2, pos2, vec2};
use std::f32::consts::TAU;

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    /// Three lines.
    Menu,
    /// A plus.
    Plus,
    /// A magnifying glass.
    Search,
    /// Three dots.
    More,
    /// The sun.
    Sun,
    /// The moon.
    Moon,
    /// A pin.
    Pin,
    /// A waste basket.
    Trash,
    /// A cross.
    Cross,
    /// An arrow up.
    Up,
    /// An arrow down.
    Down,
    /// A smile.
    Smile,
    /// Two sheets.
    Copy,
    /// A tick.
    Tick,
    /// A folder.
    Folder,
    /// A sheet of paper.
    Page,
    /// An arrow that leaves a box.
    Share,
    /// A link: two rings.
    Link,
    /// A padlock.
    Lock,
}

/// Draws it into a square.
pub fn paint(painter: &Painter, icon: Icon, area: Rect, color: Color32) {
    let pen = Pen { painter, area, stroke: Stroke::new((area.width() / 11.0).max(1.2), color) };
    match icon {
        Icon::Menu => [4.0, 8.0, 12.0].into_iter().for_each(|y| pen.line(&[(2.0, y), (14.0, y)])),
        Icon::Plus => {
            pen.line(&[(8.0, 2.5), (8.0, 13.5)]);
            pen.line(&[(2.5, 8.0), (13.5, 8.0)]);
        }
        Icon::Search => {
            pen.ring((7.0, 7.0), 4.6);
            pen.line(&[(10.4, 10.4), (14.0, 14.0)]);
        }
        Icon::More => [3.0, 8.0, 13.0].into_iter().for_each(|x| pen.dot((x, 8.0), 1.4)),
        Icon::Sun => {
            pen.ring((8.0, 8.0), 3.0);
            for ray in 0..8 {
                let (sin, cos) = (ray as f32 * TAU / 8.0).sin_cos();
                pen.line(&[(8.0 + 5.2 * cos, 8.0 + 5.2 * sin), (8.0 + 7.0 * cos, 8.0 + 7.0 * sin)]);
            }
        }
        Icon::Moon => pen.moon(),
        Icon::Pin => {
            pen.line(&[(5.0, 2.5), (11.0, 2.5)]);
            pen.line(&[(6.0, 2.5), (6.0, 7.0), (4.0, 9.5), (12.0, 9.5), (10.0, 7.0), (10.0, 2.5)]);
            pen.line(&[(8.0, 9.5), (8.0, 14.0)]);
        }
        Icon::Trash => {
            pen.line(&[(2.5, 4.0), (13.5, 4.0)]);
            pen.line(&[(6.0, 4.0), (6.0, 2.2), (10.0, 2.2), (10.0, 4.0)]);
            pen.line(&[(3.8, 4.0), (4.6, 14.0), (11.4, 14.0), (12.2, 4.0)]);
        }
        Icon::Cross => {
            pen.line(&[(4.0, 4.0), (12.0, 12.0)]);
            pen.line(&[(12.0, 4.0), (4.0, 12.0)]);
        }
        Icon::Up => pen.line(&[(3.5, 10.0), (8.0, 5.5), (12.5, 10.0)]),
        Icon::Down => pen.line(&[(3.5, 6.0), (8.0, 10.5), (12.5, 6.0)]),
        Icon::Smile => {
            pen.ring((8.0, 8.0), 6.0);
            pen.dot((5.9, 6.6), 1.0);
            pen.dot((10.1, 6.6), 1.0);
            pen.line(&[(5.0, 9.6), (6.2, 11.0), (8.0, 11.5), (9.8, 11.0), (11.0, 9.6)]);
        }
        Icon::Copy => {
            pen.frame((5.5, 5.5), (13.5, 13.5));
            pen.line(&[(10.5, 3.2), (10.5, 2.5), (2.5, 2.5), (2.5, 10.5), (3.2, 10.5)]);
        }
        Icon::Tick => pen.line(&[(3.0, 8.5), (6.5, 12.0), (13.0, 4.5)]),
        Icon::Folder => {
            let outline =
                [(2.0, 12.5), (2.0, 3.5), (6.3, 3.5), (8.0, 5.5), (14.0, 5.5), (14.0, 12.5), (2.0, 12.5)];
            pen.line(&outline);
        }
        Icon::Page => {
            pen.line(&[(4.0, 2.0), (9.5, 2.0), (12.5, 5.0), (12.5, 14.0), (4.0, 14.0), (4.0, 2.0)]);
            pen.line(&[(6.0, 8.0), (10.5, 8.0)]);
            pen.line(&[(6.0, 11.0), (10.5, 11.0)]);
        }
        Icon::Share => {
            pen.line(&[(8.0, 10.0), (8.0, 2.0)]);
            pen.line(&[(5.0, 4.8), (8.0, 1.8), (11.0, 4.8)]);
            pen.line(&[(5.0, 7.5), (3.0, 7.5), (3.0, 14.0), (13.0, 14.0), (13.0, 7.5), (11.0, 7.5)]);
        }
        Icon::Link => {
            pen.line(&[(6.5, 9.5), (9.5, 6.5)]);
            pen.line(&[(7.5, 4.5), (9.5, 2.6), (12.0, 2.6), (13.4, 4.0), (13.4, 6.5), (11.5, 8.5)]);
            pen.line(&[(8.5, 11.5), (6.5, 13.4), (4.0, 13.4), (2.6, 12.0), (2.6, 9.5), (4.5, 7.5)]);
        }
        Icon::Lock => {
            pen.frame((3.0, 7.0), (13.0, 14.0));
            pen.line(&[(5.2, 7.0), (5.2, 4.6), (6.4, 2.8), (9.6, 2.8), (10.8, 4.6), (10.8, 7.0)]);
        }
    }
}

/// Draws on a grid of 16 by 16.
struct Pen<'a> {
    painter: &'a Painter,
    area: Rect,
    stroke: Stroke,
}

impl Pen<'_> {
    fn at(&self, (x, y): (f32, f32)) -> Pos2 {
        self.area.min + vec2(x, y) * (self.area.width() / 16.0)
    }

    fn line(&self, points: &[(f32, f32)]) {
        self.painter.add(Shape::line(points.iter().map(|point| self.at(*point)).collect(), self.stroke));
    }

    fn ring(&self, center: (f32, f32), radius: f32) {
        self.painter.circle_stroke(self.at(center), radius * self.area.width() / 16.0, self.stroke);
    }

    fn dot(&self, center: (f32, f32), radius: f32) {
        self.painter.circle_filled(self.at(center), radius * self.area.width() / 16.0, self.stroke.color);
    }

    fn frame(&self, min: (f32, f32), max: (f32, f32)) {
        let rect = Rect::from_min_max(self.at(min), self.at(max));
        self.painter.rect_stroke(rect, CornerRadius::same(2), self.stroke, StrokeKind::Middle);
    }

    /// A crescent: an arc of one circle, and back along another that is cut out of it.
    fn moon(&self) {
        let arc = |center: (f32, f32), radius: f32, from: f32, to: f32| {
            (0..=16).map(move |step| {
                let (sin, cos) = (from + (to - from) * step as f32 / 16.0).sin_cos();
                (center.0 + radius * cos, center.1 + radius * sin)
            })
        };
        let outer = arc((7.5, 8.5), 6.0, 0.179, 4.533);
        let inner = arc((10.5, 5.5), 5.0, 3.762, 0.952).skip(1).take(15);
        let points: Vec<_> = outer.chain(inner).map(|point| self.at(point)).collect();
        self.painter.add(Shape::closed_line(points, self.stroke));
    }
}

/// The state of a note as a shape, so that it can be told without colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// A ring: only here.
    Ring,
    /// A disc: connected.
    Disc,
    /// A triangle: away.
    Triangle,
    /// A square with a bar: refused.
    Stop,
}

/// Draws a sign around its middle.
pub fn paint_sign(painter: &Painter, sign: Sign, center: Pos2, color: Color32) {
    match sign {
        Sign::Ring => {
            painter.circle_stroke(center, 4.0, Stroke::new(1.6, color));
        }
        Sign::Disc => {
            painter.circle_filled(center, 4.5, color);
        }
        Sign::Triangle => {
            let points = vec![center + vec2(0.0, -5.0), center + vec2(5.2, 4.0), center + vec2(-5.2, 4.0)];
            painter.add(Shape::convex_polygon(points, color, Stroke::NONE));
        }
        Sign::Stop => {
            painter.rect_filled(
                Rect::from_center_size(center, Vec2::splat(9.0)),
                CornerRadius::same(2),
                color,
            );
            let line = [pos2(center.x - 2.5, center.y), pos2(center.x + 2.5, center.y)];
            painter.line_segment(line, Stroke::new(1.6, Color32::WHITE));
        }
    }
}
