//! A sheet of pixels in a few colours, and its file in the PNG format. Shapes and letters are `embedded-graphics`'s; what is
//! drawn is not known here.

use std::convert::Infallible;
use std::io::Write;

use embedded_graphics::Pixel;
use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{OriginDimensions, Point, Size};
use embedded_graphics::mono_font::iso_8859_1::{FONT_9X15, FONT_10X20};
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::PixelColor;
use embedded_graphics::pixelcolor::raw::RawU8;
use embedded_graphics::prelude::Primitive;
use embedded_graphics::primitives::{Line, PrimitiveStyle, Rectangle};
use embedded_graphics::text::{Alignment, Baseline, Text, TextStyleBuilder};
use embedded_graphics::{Drawable, geometry::Dimensions};
use flate2::Compression;
use flate2::write::ZlibEncoder;

/// A colour, by its place in [`PALETTE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ink(pub(super) u8);

impl PixelColor for Ink {
    type Raw = RawU8;
}

/// Red, green and blue of each ink.
const PALETTE: [[u8; 3]; 16] = [
    [0xff, 0xff, 0xff],
    [0x1b, 0x22, 0x2c],
    [0x5d, 0x67, 0x75],
    [0xdd, 0xe1, 0xe6],
    [0xfb, 0xe3, 0xd6],
    [0xc6, 0x28, 0x28],
    [0x1f, 0x6f, 0xc4],
    [0xd9, 0x7a, 0x06],
    [0x2e, 0x8b, 0x57],
    [0x8e, 0x44, 0xad],
    [0x00, 0x89, 0x9b],
    [0xb0, 0x3a, 0x5b],
    [0x7a, 0x5c, 0x2e],
    [0x4b, 0x54, 0xc9],
    [0x6b, 0x8e, 0x23],
    [0x99, 0x99, 0x99],
];
/// The sheet itself.
const PAPER: Ink = Ink(0);
/// Titles and values.
pub(super) const TEXT: Ink = Ink(1);
/// Ticks.
pub(super) const FAINT: Ink = Ink(2);
/// Lines of the grid.
pub(super) const GRID: Ink = Ink(3);
/// When the miners had to be off.
pub(super) const SHADE: Ink = Ink(4);
/// Limits.
pub(super) const LIMIT: Ink = Ink(5);

/// The ink of a series.
pub(super) fn of_series(number: usize) -> Ink {
    const FIRST: u8 = 6;
    const COUNT: usize = 10;
    Ink(FIRST.saturating_add(u8::try_from(number % COUNT).unwrap_or(0)))
}

/// How large letters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Letters {
    /// 10 by 20 pixels.
    Large,
    /// 9 by 15 pixels.
    Small,
}

impl Letters {
    fn font(self) -> &'static MonoFont<'static> {
        match self {
            Letters::Large => &FONT_10X20,
            Letters::Small => &FONT_9X15,
        }
    }

    /// The width of a text, in pixels.
    pub(super) fn width(self, text: &str) -> i32 {
        let letter = i32::try_from(self.font().character_size.width).unwrap_or(0);
        i32::try_from(text.chars().count()).unwrap_or(i32::MAX).saturating_mul(letter)
    }
}

/// Which end of a text stands at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Middle,
    Right,
}

/// The sheet. What lies beyond its edges is not drawn.
pub(super) struct Canvas {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

impl OriginDimensions for Canvas {
    fn size(&self) -> Size {
        Size::new(self.width, self.height)
    }
}

impl DrawTarget for Canvas {
    type Color = Ink;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Ink>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        let sheet = self.bounding_box();
        for Pixel(at, ink) in pixels {
            if !sheet.contains(at) {
                continue;
            }
            let place = usize::try_from(at.y).unwrap_or(0) * self.width as usize + usize::try_from(at.x).unwrap_or(0);
            if let Some(pixel) = self.pixels.get_mut(place) {
                *pixel = ink.0;
            }
        }
        Ok(())
    }
}

impl Canvas {
    /// An empty sheet of so many pixels.
    pub(super) fn new(width: u32, height: u32) -> Canvas {
        Canvas { width, height, pixels: vec![PAPER.0; width as usize * height as usize] }
    }

    /// A line from one point to another, so many pixels thick.
    pub(super) fn line(&mut self, from: (i32, i32), to: (i32, i32), ink: Ink, thick: u32) {
        let line = Line::new(Point::new(from.0, from.1), Point::new(to.0, to.1));
        let Ok(()) = line.into_styled(PrimitiveStyle::with_stroke(ink, thick)).draw(self);
    }

    /// A filled rectangle.
    pub(super) fn fill(&mut self, from: (i32, i32), width: i32, height: i32, ink: Ink) {
        let size = Size::new(u32::try_from(width).unwrap_or(0), u32::try_from(height).unwrap_or(0));
        let area = Rectangle::new(Point::new(from.0, from.1), size);
        let Ok(()) = area.into_styled(PrimitiveStyle::with_fill(ink)).draw(self);
    }

    /// A text, its middle at the height `at.1`. Letters beyond Western Europe's are a `?`.
    pub(super) fn text(&mut self, text: &str, at: (i32, i32), side: Side, letters: Letters, ink: Ink) {
        let alignment = match side {
            Side::Left => Alignment::Left,
            Side::Middle => Alignment::Center,
            Side::Right => Alignment::Right,
        };
        let text = text.replace(['’', '‘'], "'").replace('–', "-").replace('≥', ">=").replace('≤', "<=");
        let place = TextStyleBuilder::new().alignment(alignment).baseline(Baseline::Middle).build();
        let style = MonoTextStyle::new(letters.font(), ink);
        let Ok(_) = Text::with_text_style(&text, Point::new(at.0, at.1), style, place).draw(self);
    }

    /// The sheet as a PNG file.
    pub(super) fn png(&self) -> std::io::Result<Vec<u8>> {
        let mut head = Vec::new();
        head.extend_from_slice(&self.width.to_be_bytes());
        head.extend_from_slice(&self.height.to_be_bytes());
        // Eight bits a pixel, by palette; the one way of packing, of filtering, and no interlacing.
        head.extend_from_slice(&[8, 3, 0, 0, 0]);
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
        for row in self.pixels.chunks(self.width.max(1) as usize) {
            // No filter.
            packed.write_all(&[0])?;
            packed.write_all(row)?;
        }
        let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
        chunk(&mut file, b"IHDR", &head);
        chunk(&mut file, b"PLTE", PALETTE.as_flattened());
        chunk(&mut file, b"IDAT", &packed.finish()?);
        chunk(&mut file, b"IEND", &[]);
        Ok(file)
    }
}

/// A part of the file: length, name, content, and a sum over the last two.
fn chunk(file: &mut Vec<u8>, name: &[u8; 4], content: &[u8]) {
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    file.extend_from_slice(&length.to_be_bytes());
    let mut sum = flate2::Crc::new();
    sum.update(name);
    sum.update(content);
    file.extend_from_slice(name);
    file.extend_from_slice(content);
    file.extend_from_slice(&sum.sum().to_be_bytes());
}
