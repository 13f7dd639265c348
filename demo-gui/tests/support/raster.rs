//! Draws what egui paints into an image, on the CPU: the same on every machine, and no graphics driver is needed.

use eframe::egui::{
    self, Color32, FullOutput, Pos2, Rect, TextureId, TexturesDelta,
    epaint::{ImageData, Mesh, Primitive, Vertex},
};
use egui_kittest::TestRenderer;
use image::{Rgba, RgbaImage};
use std::collections::HashMap;

struct Texture {
    size: [usize; 2],
    pixels: Vec<Color32>,
    /// The nearest pixel counts, not the four around.
    nearest: bool,
}

impl Texture {
    /// The colour at a place between 0 and 1, between four pixels.
    fn sample(&self, u: f32, v: f32) -> [f32; 4] {
        let [width, height] = self.size;
        let half = if self.nearest { 0.0 } else { 0.5 };
        let (x, y) = (u * width as f32 - half, v * height as f32 - half);
        let (left, top) = (x.floor(), y.floor());
        let (right_part, bottom_part) = if self.nearest { (0.0, 0.0) } else { (x - left, y - top) };
        let at = |x: f32, y: f32| {
            let x = (x.max(0.0) as usize).min(width - 1);
            let y = (y.max(0.0) as usize).min(height - 1);
            self.pixels[y * width + x].to_array().map(f32::from)
        };
        let (a, b) = (at(left, top), at(left + 1.0, top));
        let (c, d) = (at(left, top + 1.0), at(left + 1.0, top + 1.0));
        std::array::from_fn(|i| {
            let top = a[i] + (b[i] - a[i]) * right_part;
            let bottom = c[i] + (d[i] - c[i]) * right_part;
            (top + (bottom - top) * bottom_part) / 255.0
        })
    }
}

/// The renderer.
#[derive(Default)]
pub struct Raster {
    textures: HashMap<TextureId, Texture>,
}

impl TestRenderer for Raster {
    fn handle_delta(&mut self, delta: &mut TexturesDelta) {
        for (id, deltas) in delta.set.drain() {
            for delta in deltas {
                let ImageData::Color(image) = &delta.image;
                match (delta.pos, self.textures.get_mut(&id)) {
                    (Some([left, top]), Some(texture)) => {
                        for (row, line) in image.pixels.chunks(image.size[0]).enumerate() {
                            let start = (top + row) * texture.size[0] + left;
                            texture.pixels[start..start + line.len()].copy_from_slice(line);
                        }
                    }
                    _ => {
                        let nearest = delta.options.magnification == egui::TextureFilter::Nearest;
                        let texture = Texture { size: image.size, pixels: image.pixels.clone(), nearest };
                        self.textures.insert(id, texture);
                    }
                }
            }
        }
        for id in delta.free.drain() {
            self.textures.remove(&id);
        }
    }

    fn render(&mut self, ctx: &egui::Context, output: &FullOutput) -> Result<RgbaImage, String> {
        let scale = ctx.pixels_per_point();
        let size = ctx.content_rect().size() * scale;
        let (width, height) = (size.x.round() as u32, size.y.round() as u32);
        let mut canvas =
            Canvas { width, height, pixels: vec![[0.0, 0.0, 0.0, 1.0]; (width * height) as usize] };
        for clipped in ctx.tessellate(output.shapes.clone(), output.pixels_per_point) {
            let Primitive::Mesh(mesh) = clipped.primitive else { continue };
            let texture = self.textures.get(&mesh.texture_id).ok_or("a texture that was never set")?;
            canvas.mesh(&mesh, texture, clipped.clip_rect, scale);
        }
        let mut image = RgbaImage::new(width, height);
        for (pixel, [red, green, blue, _]) in image.pixels_mut().zip(canvas.pixels) {
            let byte = |part: f32| (part * 255.0).round().clamp(0.0, 255.0) as u8;
            *pixel = Rgba([byte(red), byte(green), byte(blue), 255]);
        }
        Ok(image)
    }
}

struct Canvas {
    width: u32,
    height: u32,
    /// Premultiplied, as egui's colours are; blended without linearising, as egui's shaders do.
    pixels: Vec<[f32; 4]>,
}

impl Canvas {
    fn mesh(&mut self, mesh: &Mesh, texture: &Texture, clip: Rect, scale: f32) {
        for corners in mesh.indices.chunks(3) {
            let [a, b, c] = [0, 1, 2].map(|i| mesh.vertices[corners[i] as usize]);
            self.triangle([a, b, c], texture, clip, scale);
        }
    }

    fn triangle(&mut self, corners: [Vertex; 3], texture: &Texture, clip: Rect, scale: f32) {
        let [a, b, c] = corners.map(|corner| corner.pos * scale);
        let area = cross(a, b, c);
        if area == 0.0 {
            return;
        }
        let bounds = Rect::from_points(&[a, b, c]);
        let clip = Rect::from_min_max(
            Pos2::new((clip.min.x * scale).round(), (clip.min.y * scale).round()),
            Pos2::new((clip.max.x * scale).round(), (clip.max.y * scale).round()),
        );
        let left = bounds.min.x.max(clip.min.x).max(0.0).floor() as u32;
        let top = bounds.min.y.max(clip.min.y).max(0.0).floor() as u32;
        let right = (bounds.max.x.min(clip.max.x).min(self.width as f32)).max(0.0).ceil() as u32;
        let bottom = (bounds.max.y.min(clip.max.y).min(self.height as f32)).max(0.0).ceil() as u32;
        let colors = corners.map(|corner| corner.color.to_array().map(|part| f32::from(part) / 255.0));
        let [first, second, third] = corners;
        // Most of a window is of one colour: that is looked up once.
        let plain = (first.uv == second.uv
            && second.uv == third.uv
            && colors[0] == colors[1]
            && colors[1] == colors[2])
            .then(|| {
                let texel = texture.sample(first.uv.x, first.uv.y);
                std::array::from_fn::<f32, 4, _>(|i| texel[i] * colors[0][i])
            });
        if plain.is_some_and(|color| color[3] == 0.0) {
            return;
        }
        for y in top..bottom {
            for x in left..right {
                let at = Pos2::new(x as f32 + 0.5, y as f32 + 0.5);
                let weights = [cross(b, c, at) / area, cross(c, a, at) / area, cross(a, b, at) / area];
                let inside = covers(weights[0], b, c, area) && covers(weights[1], c, a, area);
                if !inside || !covers(weights[2], a, b, area) {
                    continue;
                }
                let mix = |a: f32, b: f32, c: f32| a * weights[0] + b * weights[1] + c * weights[2];
                let source = plain.unwrap_or_else(|| {
                    let u = mix(first.uv.x, second.uv.x, third.uv.x);
                    let v = mix(first.uv.y, second.uv.y, third.uv.y);
                    let texel = texture.sample(u, v);
                    std::array::from_fn(|i| texel[i] * mix(colors[0][i], colors[1][i], colors[2][i]))
                });
                let pixel = &mut self.pixels[(y * self.width + x) as usize];
                let under = 1.0 - source[3];
                *pixel = std::array::from_fn(|i| source[i] + pixel[i] * under);
            }
        }
    }
}

/// Inside, or on an edge that belongs to this triangle and not to its neighbour.
fn covers(weight: f32, from: Pos2, to: Pos2, area: f32) -> bool {
    if weight != 0.0 {
        return weight > 0.0;
    }
    let (from, to) = if area > 0.0 { (from, to) } else { (to, from) };
    (from.y == to.y && to.x > from.x) || to.y < from.y
}

fn cross(a: Pos2, b: Pos2, c: Pos2) -> f32 {
    (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)
}
