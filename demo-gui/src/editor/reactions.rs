//! Danmaku in small: reactions float up beside the caret of who threw them.

use super::{Editor, caret_rect};
use eframe::egui::{Align2, Color32, FontId, Rect, Ui, pos2, text_edit::TextEditOutput, vec2};
use notes_core::peer::Thrown;

/// How long one takes to rise.
const SECONDS: f64 = 2.8;
/// How far.
const RISE: f32 = 90.0;
/// Only so many at once.
const MOST: usize = 24;

struct One {
    thrown: Thrown,
    start: f64,
}

/// Those in the air.
#[derive(Default)]
pub struct Floating {
    all: Vec<One>,
}

impl Editor {
    pub(super) fn show_reactions(&mut self, ui: &Ui, output: &TextEditOutput) {
        let now = ui.input(|input| input.time);
        for thrown in self.peer.reactions() {
            if self.reactions.all.len() < MOST {
                self.reactions.all.push(One { thrown, start: now });
            }
        }
        self.reactions.all.retain(|one| now - one.start < SECONDS);
        if self.reactions.all.is_empty() {
            return;
        }
        ui.ctx().request_repaint();
        let text = self.peer.text();
        for (index, one) in self.reactions.all.iter().enumerate() {
            let seen = ui.clip_rect();
            let place = match one.thrown.at {
                Some(at) => caret_rect(output, text, at).right_center(),
                None => seen.right_bottom() - vec2(120.0, 60.0),
            };
            // Somebody reacts where we do not look: at the edge next to it.
            let place = pos2(place.x, place.y.clamp(seen.top() + RISE * 0.6, seen.bottom() - 24.0));
            paint(ui, one, place, (now - one.start) as f32 / SECONDS as f32, index);
        }
    }
}

fn paint(ui: &Ui, one: &One, place: eframe::egui::Pos2, age: f32, index: usize) {
    let ease = 1.0 - (1.0 - age).powi(2);
    let sway = ((age * 9.0) + index as f32).sin() * 5.0;
    let strength = (1.0 - age).min(0.35) / 0.35;
    let [red, green, blue] = one.thrown.color;
    let color = Color32::from_rgb(red, green, blue).gamma_multiply(strength);
    let short = one.thrown.text.chars().count() <= 2;
    let center = place + vec2(16.0 + sway, -8.0 - ease * RISE);
    let font = FontId::proportional(if short { 30.0 } else { 14.0 });
    if short {
        ui.painter().text(center, Align2::CENTER_CENTER, &one.thrown.text, font, color);
        return;
    }
    let ink = crate::parts::text_on(Color32::from_rgb(red, green, blue)).gamma_multiply(strength);
    let galley = ui.painter().layout_no_wrap(one.thrown.text.clone(), font, ink);
    let bubble = Rect::from_min_size(center, galley.size() + vec2(20.0, 8.0));
    ui.painter().rect_filled(bubble, 12, color);
    ui.painter().galley(bubble.min + vec2(10.0, 4.0), galley, ink);
}
