import Foundation
import Synchronization

/// How SIGINT and SIGTERM end the program: with code 130, at once or between two steps.
///
/// A command that has said ``watch(until:)`` is asked to stop, and has ``grace`` for it. One that computes
/// where it cannot be asked (a corpus is sampled, a step takes minutes) then ends all the same: what it wrote stands
/// whole, as after a kill, and a run goes on from its last checkpoint.
enum Interruption {
  /// How long a stop may take, from the signal or from the last time that the command was heard of, in seconds.
  static let grace = 20

  private static let flag = Atomic<Bool>(false)
  /// When the first signal came, in seconds of the monotonic clock; 0 before.
  private static let firstSignal = Atomic<Int>(0)
  private static let isWatched = Atomic<Bool>(false)
  /// When the command was last told to stop, on the same clock.
  private static let lastAnswer = Atomic<Int>(0)

  /// Whether one of the signals has come; one more, two seconds later or more, ends the program at once.
  static var hasCome: Bool { flag.load(ordering: .relaxed) }

  /// Catches the signals from now on; until somebody watches, one ends the program at once.
  static func begin() {
    // A reader that goes away, or a limit on the size of files, is an error of the call that
    // meets it, and not the end of the program.
    for number in [SIGPIPE, SIGXFSZ] { signal(number, SIG_IGN) }
    // Some parents start programs with these signals blocked, and blocked ones never come.
    var blocked = sigset_t()
    sigemptyset(&blocked)
    for number in [SIGINT, SIGTERM] { sigaddset(&blocked, number) }
    pthread_sigmask(SIG_UNBLOCK, &blocked, nil)
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        let now = Interruption.now
        let first = Interruption.firstSignal.compareExchange(
          expected: 0, desired: now, ordering: .relaxed)
        Interruption.flag.store(true, ordering: .relaxed)
        guard Interruption.isWatched.load(ordering: .relaxed) else {
          let words: StaticString = "gradflow: stopped\n"
          write(STDERR_FILENO, words.utf8Start, words.utf8CodeUnitCount)
          _exit(Exit.stopped)
        }
        // Some senders, such as timeout, send it twice at once: that is no second request.
        guard !first.exchanged, now > first.original + 1 else { return }
        signal(number, SIG_DFL)
        raise(number)
      }
    }
  }

  /// From now on the command asks ``goesOn(unless:)`` whether to go on, or at least ``hasCome``.
  ///
  /// - Parameter isOver: whether it is to stop for another reason than a signal.
  static func watch(until isOver: @escaping @Sendable () -> Bool = { false }) {
    isWatched.store(true, ordering: .relaxed)
    Thread.detachNewThread {
      var asked: Int?
      while true {
        usleep(250_000)
        guard hasCome || isOver() else { continue }
        let first = asked ?? now
        asked = first
        guard now > max(first, lastAnswer.load(ordering: .relaxed)) + grace else { continue }
        Terminal.error(
          "stopped in the midst of something that takes long; what was written up to there is whole, and a run "
            + "goes on from its last checkpoint with --resume, a sweep with the same command")
        // Not exit: what still computes must not see its libraries go.
        _exit(Exit.stopped)
      }
    }
  }

  /// Whether to go on, which is what a command that watches asks as often as it can.
  ///
  /// - Parameter isOver: whether it is to stop for another reason than a signal.
  /// - Returns: false once it is to stop.
  static func goesOn(unless isOver: Bool = false) -> Bool {
    guard hasCome || isOver else { return true }
    lastAnswer.store(now, ordering: .relaxed)
    return false
  }

  /// Seconds of the monotonic clock; never 0.
  private static var now: Int {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return max(1, now.tv_sec)
  }
}
