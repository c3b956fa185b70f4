import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// Threads that stay for loops which come one soon after the other.
///
/// A loop of a third of a millisecond is over before a sleeping thread has been woken. So the threads
/// of a team watch for the next loop for about a tenth of a millisecond before they sleep, and a loop
/// never waits for one that is late. Each thread begins with the same lanes in every loop, whose data may
/// still be in its cache, and helps the others when it has done with them. The lanes and their order of
/// reduction are the caller's, as with ``forEachLane(_:threads:_:)``.
public final class ThreadTeam {
  private let loop: SharedLoop
  private let threads: Int
  private var isStarted = false

  /// A team; its threads start with its first loop and end with it.
  ///
  /// - Parameter threads: how many work on a loop, the caller's included, ≥ 1.
  public init(threads: Int) {
    precondition(threads >= 1, "threads must be ≥ 1")
    self.threads = threads
    loop = SharedLoop(threads: threads)
  }

  deinit { loop.stop() }

  /// Calls `body(lane)` once for every lane in `0..<lanes`.
  ///
  /// - Parameters:
  ///   - lanes: number of independent pieces of work, ≥ 0.
  ///   - body: the work of one lane. It must write only memory that no other lane touches, and start no
  ///     loop of the same team.
  public func forEachLane(_ lanes: Int, _ body: (Int) -> Void) {
    guard threads > 1, lanes > 1 else {
      for lane in 0..<lanes { body(lane) }
      return
    }
    if !isStarted {
      isStarted = true
      for thread in 1..<threads {
        let loop = loop
        Thread { loop.serve(thread) }.start()
      }
    }
    loop.run(lanes, body)
  }
}

/// The loop that a team works on, shared by its threads.
private final class SharedLoop: @unchecked Sendable {
  // Unchecked: `body` is written while the loop is closed and nobody is inside.

  private var body: ((Int) -> Void)?
  private let shares: LaneShares
  /// How many loops there have been, whether one is open to enter, and how many threads are inside.
  private let state = Atomic<State>(State(loops: 0, isOpen: 0, inside: 0))
  private let sleeping = Atomic<Int>(0)
  private let isStopped = Atomic<Bool>(false)
  private let bell = DispatchSemaphore(value: 0)
  /// Looks for a next loop before a thread sleeps; each takes some tenths of a microsecond.
  private static let patience = 300

  init(threads: Int) { shares = LaneShares(threads: threads) }

  private struct State: AtomicRepresentable {
    var loops: UInt32
    var isOpen: UInt16
    var inside: UInt16

    typealias AtomicRepresentation = UInt64.AtomicRepresentation

    static func encodeAtomicRepresentation(_ value: consuming State) -> AtomicRepresentation {
      UInt64.encodeAtomicRepresentation(
        UInt64(value.loops) << 32 | UInt64(value.isOpen) << 16 | UInt64(value.inside))
    }

    static func decodeAtomicRepresentation(_ bits: consuming AtomicRepresentation) -> State {
      let bits = UInt64.decodeAtomicRepresentation(bits)
      return State(
        loops: UInt32(bits >> 32), isOpen: UInt16(bits >> 16 & 0xFFFF),
        inside: UInt16(bits & 0xFFFF))
    }
  }

  /// Runs a loop on the caller's thread and on all others that come in time.
  func run(_ lanes: Int, _ body: (Int) -> Void) {
    withoutActuallyEscaping(body) { body in
      self.body = body
      shares.deal(lanes)
      change { State(loops: $0.loops &+ 1, isOpen: 1, inside: 0) }
      wake()
      work(0)
      change { State(loops: $0.loops, isOpen: 0, inside: $0.inside) }
      while state.load(ordering: .acquiring).inside > 0 { sched_yield() }
      self.body = nil
    }
  }

  func stop() {
    isStopped.store(true, ordering: .sequentiallyConsistent)
    wake()
  }

  /// Takes one thread off those that sleep, if there is one that nobody is about to ring for.
  private func withdraw() -> Bool {
    var old = sleeping.load(ordering: .sequentiallyConsistent)
    while old > 0 {
      let (exchanged, original) = sleeping.weakCompareExchange(
        expected: old, desired: old - 1, ordering: .sequentiallyConsistent)
      if exchanged { return true }
      old = original
    }
    return false
  }

  /// Rings once for everyone who sleeps.
  private func wake() {
    for _ in 0..<sleeping.exchange(0, ordering: .sequentiallyConsistent) { bell.signal() }
  }

  /// Works on loop after loop, as one of the team's threads, until the team ends.
  func serve(_ thread: Int) {
    var last: UInt32 = 0
    while true {
      guard let loops = wait(after: last) else { return }
      last = loops
      if enter(loops) {
        work(thread)
        change { State(loops: $0.loops, isOpen: $0.isOpen, inside: $0.inside - 1) }
      }
    }
  }

  private func work(_ thread: Int) {
    guard let body else { return }
    while let lane = shares.take(thread) { body(lane) }
  }

  /// The number of the next loop, or nil when there will be none.
  private func wait(after last: UInt32) -> UInt32? {
    func found() -> UInt32? {
      let state = state.load(ordering: .sequentiallyConsistent)
      return state.isOpen == 1 && state.loops != last ? state.loops : nil
    }
    while true {
      for _ in 0..<Self.patience {
        if isStopped.load(ordering: .relaxed) { return nil }
        if let loops = found() { return loops }
        sched_yield()
      }
      // Whoever starts a loop counts this thread and rings for it, or is seen by the look that follows. Who
      // has been counted waits for the bell, so that there is never one too many.
      sleeping.add(1, ordering: .sequentiallyConsistent)
      let isNeeded = found() != nil || isStopped.load(ordering: .sequentiallyConsistent)
      if !isNeeded || !withdraw() { bell.wait() }
    }
  }

  /// Enters a loop unless it has closed.
  private func enter(_ loops: UInt32) -> Bool {
    var old = state.load(ordering: .acquiring)
    while old.isOpen == 1, old.loops == loops {
      let new = State(loops: old.loops, isOpen: 1, inside: old.inside + 1)
      let (exchanged, original) = state.weakCompareExchange(
        expected: old, desired: new, ordering: .acquiringAndReleasing)
      if exchanged { return true }
      old = original
    }
    return false
  }

  private func change(_ change: (State) -> State) {
    var old = state.load(ordering: .acquiring)
    while true {
      let (exchanged, original) = state.weakCompareExchange(
        expected: old, desired: change(old), ordering: .sequentiallyConsistent)
      if exchanged { return }
      old = original
    }
  }
}

/// The lanes of a loop, dealt out to threads in consecutive shares of which each can be taken from at both
/// ends: by its own thread from the front, by the others from the back.
private final class LaneShares: @unchecked Sendable {
  // Unchecked: the shares are atomic, and the memory lives as long as this object.

  private let threads: Int
  /// Of each share its first lane and the one after its last, in a cache line of its own.
  private let shares: UnsafeMutablePointer<Atomic<UInt64>>
  private static let spacing = 16

  init(threads: Int) {
    self.threads = threads
    shares = .allocate(capacity: threads * Self.spacing)
    for i in 0..<threads * Self.spacing { (shares + i).initialize(to: Atomic(0)) }
  }

  deinit {
    shares.deinitialize(count: threads * Self.spacing)
    shares.deallocate()
  }

  /// Begins a loop, while nobody takes.
  func deal(_ lanes: Int) {
    for thread in 0..<threads {
      let (first, end) = (lanes * thread / threads, lanes * (thread + 1) / threads)
      shares[thread * Self.spacing].store(
        UInt64(first) << 32 | UInt64(end), ordering: .relaxed)
    }
  }

  /// A lane for a thread: of its own share, or else of the next one that has any left.
  func take(_ thread: Int) -> Int? {
    for i in 0..<threads {
      let owner = (thread + i) % threads
      if let lane = take(from: owner, atFront: i == 0) { return lane }
    }
    return nil
  }

  private func take(from owner: Int, atFront: Bool) -> Int? {
    let share = shares + owner * Self.spacing
    var old = share.pointee.load(ordering: .relaxed)
    while true {
      let (first, end) = (old >> 32, old & 0xFFFF_FFFF)
      if first >= end { return nil }
      let new = atFront ? (first + 1) << 32 | end : first << 32 | (end - 1)
      let (exchanged, original) = share.pointee.weakCompareExchange(
        expected: old, desired: new, ordering: .relaxed)
      if exchanged { return Int(atFront ? first : end - 1) }
      old = original
    }
  }
}
