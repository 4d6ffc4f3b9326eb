//! Many hands, one order: work is shared among threads, and its fruits come back in the order of the work.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Pieces of work that may be on their way for every thread: enough to keep it busy, few enough to bound memory.
const AHEAD: usize = 3;

/// Feeds what `feed` hands over to `threads` threads that each `work` on a piece, and gives the fruits to `take` on this
/// thread, in the order they were fed. `feed` runs on a thread of its own and is told `false` when nobody wants more.
/// Holds a bounded number of pieces and fruits, however many there are. Ends early at the first error of `take`.
pub(super) fn in_order<I: Send, O: Send, F: Send, E>(
    threads: usize,
    feed: impl FnOnce(&mut dyn FnMut(I) -> bool) -> F + Send,
    work: impl Fn(I) -> O + Sync,
    mut take: impl FnMut(O) -> Result<(), E>,
) -> Result<F, Option<E>> {
    let threads = threads.max(1);
    let (give, got) = sync_channel::<(I, SyncSender<O>)>(threads);
    let (queue, queued) = sync_channel::<Receiver<O>>(threads * AHEAD);
    let got = Mutex::new(got);
    std::thread::scope(|scope| {
        let feeder = scope.spawn(move || {
            feed(&mut |piece| {
                let (answer, answered) = sync_channel(1);
                // The place in the order is taken first: it is what bounds the pieces on their way.
                queue.send(answered).is_ok() && give.send((piece, answer)).is_ok()
            })
        });
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let next = got.lock().ok().and_then(|got| got.recv().ok());
                    let Some((piece, answer)) = next else { break };
                    // Nobody waits for it any more after an error; the rest is drained.
                    let _ = answer.send(work(piece));
                }
            });
        }
        let mut failed = None;
        // An answer that never comes is a thread that panicked; the join below passes it on.
        for fruit in queued.iter().map_while(|answer| answer.recv().ok()) {
            if let Err(e) = take(fruit) {
                failed = Some(e);
                break;
            }
        }
        drop(queued);
        match (feeder.join(), failed) {
            (_, Some(e)) => Err(Some(e)),
            (Ok(fed), None) => Ok(fed),
            (Err(_), None) => Err(None),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    #[test]
    fn the_order_is_kept_and_the_number_on_the_way_is_bounded() {
        let (fed, taken, most) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        let mut got = Vec::new();
        let feed = |give: &mut dyn FnMut(u64) -> bool| {
            for n in 0..500 {
                assert!(give(n));
                let on_the_way = fed.fetch_add(1, Ordering::SeqCst) + 1 - taken.load(Ordering::SeqCst);
                most.fetch_max(on_the_way, Ordering::SeqCst);
            }
            "done"
        };
        let work = |n: u64| {
            std::thread::sleep(Duration::from_micros((n * 7919) % 300));
            n * 2
        };
        let answer = in_order(4, feed, work, |n| {
            got.push(n);
            taken.fetch_add(1, Ordering::SeqCst);
            Ok::<(), ()>(())
        });
        assert_eq!(answer, Ok("done"));
        assert_eq!(got, (0..500).map(|n| n * 2).collect::<Vec<_>>());
        let most = most.load(Ordering::SeqCst);
        assert!(most > 4 && most <= 4 * AHEAD + 4 + 4, "{most}");
    }

    #[test]
    fn an_error_ends_it() {
        let feed = |give: &mut dyn FnMut(u64) -> bool| {
            let mut n = 0;
            while give(n) {
                n += 1;
            }
        };
        let answer = in_order(2, feed, |n| n, |n| if n == 10 { Err("ten") } else { Ok(()) });
        assert_eq!(answer, Err(Some("ten")));
    }
}
