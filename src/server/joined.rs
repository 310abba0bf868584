//! Short answers leave by one plain write. hyper hands over head and body as two slices, and for what is this short the kernel takes longer to
//! gather them than we take to put them together.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};

/// What is longer goes on in its slices.
const SHORT: usize = 1024;

/// A connection whose short writes are joined.
pub struct Joined<S>(pub S);

// === impl Read, Write ===

impl<S: Read + Unpin> Read for Joined<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: Write + Unpin> Write for Joined<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let inner = Pin::new(&mut self.0);
        match slices {
            [only] => inner.poll_write(context, only),
            slices if slices.iter().map(|slice| slice.len()).sum::<usize>() <= SHORT => {
                let mut joined = [0; SHORT];
                let mut length = 0;
                for slice in slices {
                    if let Some(place) = joined.get_mut(length..length + slice.len()) {
                        place.copy_from_slice(slice);
                        length += slice.len();
                    }
                }
                inner.poll_write(context, joined.get(..length).unwrap_or_default())
            }
            slices => inner.poll_write_vectored(context, slices),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Notes what it is given, and takes five bytes at most of a plain write.
    #[derive(Default)]
    struct Sink(Vec<String>);

    impl Write for Sink {
        fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            self.0.push(String::from_utf8(bytes.to_vec()).unwrap());
            Poll::Ready(Ok(bytes.len().min(5)))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_write_vectored(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            slices: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            self.0.push("vectored".into());
            Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()))
        }
    }

    fn written(slices: &[&[u8]]) -> (usize, Vec<String>) {
        let mut joined = Joined(Sink::default());
        let slices: Vec<_> = slices.iter().map(|slice| IoSlice::new(slice)).collect();
        let mut context = Context::from_waker(std::task::Waker::noop());
        let Poll::Ready(Ok(length)) = Pin::new(&mut joined).poll_write_vectored(&mut context, &slices) else {
            panic!()
        };
        (length, joined.0.0)
    }

    #[test]
    fn a_short_answer_is_one_write_and_a_long_one_goes_in_its_slices() {
        assert_eq!(written(&[b"head", b"", b"body"]), (5, vec!["headbody".into()]), "also if little of it is taken");
        assert_eq!(written(&[b"head"]), (4, vec!["head".into()]));
        let most = vec![b'x'; SHORT - 1];
        assert_eq!(written(&[b"h", &most]).1.concat().len(), SHORT);
        assert_eq!(written(&[b"hh", &most]), (SHORT + 1, vec!["vectored".into()]));
    }
}
