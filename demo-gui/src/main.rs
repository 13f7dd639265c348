//! The program: a window over a hub, or a hub alone.

use eframe::egui;
use notes_core::ServeOptions;
use notes_core::hub::{Hub, HubOptions};
use notes_gui::app::{App, Link, Wishes};
use notes_gui::args::{self, Arguments, Serve};
use notes_gui::settings::{Settings, default_data};
use notes_gui::theme;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

/// What a window needs of the system, for the error message.
const LIBRARIES: &str = "libx11-6 libxcursor1 libxi6 libxkbcommon-x11-0 libgl1 libegl1 libfontconfig1";

fn main() -> ExitCode {
    match args::parse(std::env::args_os().skip(1)).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo-gui: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), String> {
    if let Some(text) = arguments.print {
        return std::io::stdout().write_all(text.as_bytes()).map_err(|error| error.to_string());
    }
    let data = match arguments.data {
        Some(data) => data,
        None => default_data()?,
    };
    if let Some(Serve { listen, notes }) = arguments.serve {
        let options = ServeOptions { data, listen, notes, names: Vec::new() };
        return notes_core::serve(options, &mut std::io::stdout().lock());
    }
    check_display()?;
    window(data, Wishes { host: arguments.host, join: arguments.join })
}

/// Without a display winit's error is long and names no way out.
fn check_display() -> Result<(), String> {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY") || set("WAYLAND_SOCKET") {
        return Ok(());
    }
    Err("there is no display: neither DISPLAY nor WAYLAND_DISPLAY is set. Run it in a desktop session, or host notes \
         without a window: demo-gui --serve --listen 0.0.0.0:8765"
        .into())
}

fn window(data: PathBuf, wishes: Wishes) -> Result<(), String> {
    let (settings, notice) = Settings::load(&data)?;
    if let Some(notice) = notice {
        eprintln!("demo-gui: {notice}");
    }
    // The hub runs before there is a window; it wakes it as soon as there is one.
    let context: Arc<OnceLock<egui::Context>> = Arc::default();
    let woken = context.clone();
    let hub = Hub::start(HubOptions {
        data: data.clone(),
        markdown: settings.folder.clone(),
        port: settings.port,
        wake: Box::new(move || {
            if let Some(context) = woken.get() {
                context.request_repaint();
            }
        }),
    })?;
    let link = Link { commands: hub.commands.clone(), events: hub.events.clone() };
    let options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_title("libws notes")
            .with_app_id("libws-notes")
            .with_icon(icon())
            .with_inner_size([1180.0, 760.0])
            .with_min_inner_size([340.0, 320.0]),
        ..Default::default()
    };
    let create: eframe::AppCreator<'_> = Box::new(move |creation| {
        let ctx = &creation.egui_ctx;
        theme::install(ctx);
        let _ = context.set(ctx.clone());
        let mut app = App::new(link, data, settings, wishes);
        app.ask_system_theme(ctx);
        Ok(Box::new(app))
    });
    let shown = catch_unwind(AssertUnwindSafe(|| eframe::run_native("libws-notes", options, create)));
    drop(hub);
    let why = match shown {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => error.to_string(),
        // A library that cannot be loaded is a panic of those who load it; its message is on the screen already.
        Err(_) => "see the message above".into(),
    };
    Err(format!(
        "the window cannot be opened: {why}. It needs a display with OpenGL 2.1 and some system libraries; on Debian and \
         Ubuntu: apt-get install {LIBRARIES}"
    ))
}

/// A sheet with lines, in the colour of the app.
fn icon() -> egui::IconData {
    const SIDE: usize = 64;
    let mut rgba = Vec::with_capacity(SIDE * SIDE * 4);
    for index in 0..SIDE * SIDE {
        let (x, y) = (index % SIDE, index / SIDE);
        let corner = |at: usize| at.min(SIDE - 1 - at).min(14);
        let (dx, dy) = (14 - corner(x), 14 - corner(y));
        let inside = dx * dx + dy * dy <= 14 * 14;
        let is_line = [20..25, 32..37, 44..49].iter().position(|rows| rows.contains(&y));
        let white = is_line.is_some_and(|line| (16..if line == 2 { 36 } else { 48 }).contains(&x));
        let color = if white { [255, 255, 255] } else { [15, 118, 110] };
        rgba.extend(color);
        rgba.push(if inside { 255 } else { 0 });
    }
    egui::IconData { rgba, width: SIDE as u32, height: SIDE as u32 }
}
