//! Colours, sizes and spacing of the window, light and dark.

use crate::settings;
use eframe::egui::{
    self, Color32, CornerRadius, FontFamily, FontId, Margin, Stroke, TextStyle, Vec2, Visuals,
};

/// The colours of one theme.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Palette {
    /// Behind the bars.
    pub bar: Color32,
    /// Behind the list.
    pub list: Color32,
    /// Behind the text.
    pub page: Color32,
    /// Of dialogs and menus.
    pub raised: Color32,
    /// Text.
    pub text: Color32,
    /// Titles and bold text.
    pub strong: Color32,
    /// Secondary text.
    pub weak: Color32,
    /// Markdown marks while editing.
    pub mark: Color32,
    /// Thin lines.
    pub line: Color32,
    /// Under the pointer.
    pub hover: Color32,
    /// The chosen row.
    pub chosen: Color32,
    /// The one primary button, links, the caret.
    pub accent: Color32,
    /// Text on the accent.
    pub on_accent: Color32,
    /// Selected text.
    pub selection: Color32,
    /// Behind code.
    pub code: Color32,
    /// Found text.
    pub found: Color32,
    /// All is well.
    pub good: Color32,
    /// Attention.
    pub warn: Color32,
    /// Refused, failed.
    pub bad: Color32,
}

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

/// Warm paper.
pub const LIGHT: Palette = Palette {
    bar: rgb(0xfbfaf8),
    list: rgb(0xf4f2ee),
    page: rgb(0xffffff),
    raised: rgb(0xffffff),
    text: rgb(0x2b2f36),
    strong: rgb(0x101318),
    weak: rgb(0x6a6f78),
    mark: rgb(0xa2a6ad),
    line: rgb(0xe6e2db),
    hover: rgb(0xeae7e1),
    chosen: rgb(0xdff0ec),
    accent: rgb(0x0f766e),
    on_accent: rgb(0xffffff),
    selection: rgb(0xc9e6e1),
    code: rgb(0xf3f1ec),
    found: rgb(0xffe69c),
    good: rgb(0x127036),
    warn: rgb(0x985300),
    bad: rgb(0xc02626),
};

/// Slate.
pub const DARK: Palette = Palette {
    bar: rgb(0x1b1e24),
    list: rgb(0x171a1f),
    page: rgb(0x1f2229),
    raised: rgb(0x282c35),
    text: rgb(0xd5d8dd),
    strong: rgb(0xf6f7f9),
    weak: rgb(0x979da8),
    mark: rgb(0x676d78),
    line: rgb(0x31353e),
    hover: rgb(0x2d313a),
    chosen: rgb(0x203a3a),
    accent: rgb(0x2fb8a6),
    on_accent: rgb(0x07211e),
    selection: rgb(0x21504c),
    code: rgb(0x2a2e37),
    found: rgb(0x6b5510),
    good: rgb(0x4cc38a),
    warn: rgb(0xf0b04a),
    bad: rgb(0xff8080),
};

/// The colours in force.
pub fn palette(ui: &egui::Ui) -> Palette {
    if ui.visuals().dark_mode { DARK } else { LIGHT }
}

/// The size of the text of notes.
pub const NOTE_SIZE: f32 = 15.5;
/// The line height of the text of notes, generous enough for Chinese.
pub const NOTE_LINE: f32 = 24.0;

/// Sets both themes up.
pub fn install(ctx: &egui::Context) {
    for (theme, palette) in [(egui::Theme::Light, LIGHT), (egui::Theme::Dark, DARK)] {
        ctx.set_visuals_of(theme, visuals(theme == egui::Theme::Dark, palette));
    }
    ctx.all_styles_mut(|style| {
        let font = |size| FontId::new(size, FontFamily::Proportional);
        style.text_styles = [
            (TextStyle::Small, font(12.0)),
            (TextStyle::Body, font(14.0)),
            (TextStyle::Button, font(14.0)),
            (TextStyle::Heading, font(20.0)),
            (TextStyle::Monospace, FontId::new(13.0, FontFamily::Monospace)),
        ]
        .into();
        style.spacing.item_spacing = Vec2::new(8.0, 6.0);
        style.spacing.button_padding = Vec2::new(12.0, 6.0);
        style.spacing.interact_size = Vec2::new(32.0, 30.0);
        style.spacing.menu_margin = Margin::same(6);
        style.spacing.window_margin = Margin::same(20);
        style.spacing.default_area_size = Vec2::new(640.0, 1200.0);
        style.spacing.scroll = egui::style::ScrollStyle::thin();
        style.interaction.selectable_labels = false;
    });
}

/// Light, dark, or as the system has it.
pub fn choose(ctx: &egui::Context, theme: settings::Theme) {
    ctx.set_theme(match theme {
        settings::Theme::System => egui::ThemePreference::System,
        settings::Theme::Light => egui::ThemePreference::Light,
        settings::Theme::Dark => egui::ThemePreference::Dark,
    });
}

fn visuals(dark: bool, palette: Palette) -> Visuals {
    let mut visuals = if dark { Visuals::dark() } else { Visuals::light() };
    visuals.weak_text_color = Some(palette.weak);
    visuals.hyperlink_color = palette.accent;
    visuals.faint_bg_color = palette.code;
    visuals.extreme_bg_color = palette.page;
    visuals.text_edit_bg_color = Some(palette.page);
    visuals.code_bg_color = palette.code;
    visuals.warn_fg_color = palette.warn;
    visuals.error_fg_color = palette.bad;
    visuals.panel_fill = palette.bar;
    visuals.window_fill = palette.raised;
    visuals.window_stroke = Stroke::new(1.0, palette.line);
    visuals.window_corner_radius = CornerRadius::same(14);
    visuals.menu_corner_radius = CornerRadius::same(10);
    visuals.window_shadow = shadow(dark, 40, 12);
    visuals.popup_shadow = shadow(dark, 20, 6);
    visuals.selection.bg_fill = palette.selection;
    visuals.selection.stroke = Stroke::new(1.5, palette.accent);
    visuals.text_cursor.stroke = Stroke::new(2.0, palette.accent);
    visuals.text_cursor.preview = false;
    visuals.ime_composition.active_underline_stroke = Stroke::new(2.0, palette.accent);
    visuals.interact_cursor = Some(egui::CursorIcon::PointingHand);

    let radius = CornerRadius::same(8);
    let widgets = &mut visuals.widgets;
    for widget in [
        &mut widgets.noninteractive,
        &mut widgets.inactive,
        &mut widgets.hovered,
        &mut widgets.active,
        &mut widgets.open,
    ] {
        widget.corner_radius = radius;
        widget.expansion = 0.0;
        widget.bg_stroke = Stroke::new(1.0, palette.line);
        widget.fg_stroke = Stroke::new(1.2, palette.text);
        widget.bg_fill = palette.page;
        widget.weak_bg_fill = palette.page;
    }
    widgets.noninteractive.bg_fill = palette.raised;
    widgets.inactive.bg_fill = palette.hover;
    for widget in [&mut widgets.hovered, &mut widgets.active, &mut widgets.open] {
        widget.bg_fill = palette.hover;
        widget.weak_bg_fill = palette.hover;
        widget.fg_stroke.color = palette.strong;
    }
    widgets.active.bg_stroke.color = palette.accent;
    visuals
}

fn shadow(dark: bool, blur: u8, down: i8) -> egui::Shadow {
    let color = Color32::from_black_alpha(if dark { 110 } else { 36 });
    egui::Shadow { offset: [0, down], blur, spread: 0, color }
}

/// The colour of a person at some strength, for their selection.
pub fn tint([red, green, blue]: [u8; 3], strength: f32) -> Color32 {
    Color32::from_rgb(red, green, blue).gamma_multiply(strength)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contrast of WCAG 2.
    fn contrast(one: Color32, other: Color32) -> f32 {
        let light = |color: Color32| {
            let [red, green, blue, _] = egui::Rgba::from(color).to_array();
            0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05
        };
        let (one, other) = (light(one), light(other));
        one.max(other) / one.min(other)
    }

    #[test]
    fn text_is_readable_on_every_ground() {
        for palette in [LIGHT, DARK] {
            for ground in
                [palette.bar, palette.list, palette.page, palette.raised, palette.chosen, palette.code]
            {
                for text in [palette.text, palette.strong] {
                    assert!(
                        contrast(text, ground) >= 7.0,
                        "{text:?} on {ground:?}: {}",
                        contrast(text, ground)
                    );
                }
            }
            for ground in [palette.bar, palette.list, palette.page, palette.raised] {
                for text in [palette.weak, palette.accent, palette.good, palette.warn, palette.bad] {
                    assert!(
                        contrast(text, ground) >= 4.5,
                        "{text:?} on {ground:?}: {}",
                        contrast(text, ground)
                    );
                }
            }
            assert!(contrast(palette.on_accent, palette.accent) >= 4.5);
            assert!(contrast(palette.accent, palette.selection) >= 3.5, "selected text takes the accent");
            assert!(contrast(palette.text, palette.found) >= 4.5);
        }
    }

    #[test]
    fn white_is_readable_on_the_colour_of_every_person() {
        for ([red, green, blue], name, _) in crate::names::COLORS {
            let contrast = contrast(Color32::WHITE, Color32::from_rgb(red, green, blue));
            assert!(contrast >= 3.5, "{name}: {contrast}");
        }
    }
}
