import CFaults
import Dispatch
import Foundation
import Synchronization

/// Zero, which the compiler cannot know.
let zero = CommandLine.arguments.count - 2

func doubles(_ count: Int) -> UnsafeMutablePointer<Double> {
  let p = UnsafeMutablePointer<Double>.allocate(capacity: count)
  p.initialize(repeating: 1, count: count)
  return p
}

final class Box: @unchecked Sendable {
  var value = 0
  var array: [Int] = []
}

func twoThreads(_ body: @escaping @Sendable (Int) -> Void) {
  let done = DispatchSemaphore(value: 0)
  for number in 0..<2 {
    Thread {
      body(number); done.signal()
    }.start()
  }
  for _ in 0..<2 { done.wait() }
}

/// Two iterations that begin only when the other one has.
func twoLanes(_ body: @Sendable (Int) -> Void) {
  let arrived = Atomic<Int>(0)
  DispatchQueue.concurrentPerform(iterations: 2) { number in
    arrived.add(1, ordering: .relaxed)
    while arrived.load(ordering: .relaxed) < 2 { sched_yield() }
    body(number)
  }
}

/// What the sanitizers should see.
let faults: [String: @Sendable () -> Void] = [
  "c-read": {
    let p = doubles(8)
    print(fault_read(p, zero + 1))
    p.deallocate()
  },
  "c-write": {
    let p = doubles(8)
    fault_write(p, zero + 1)
    p.deallocate()
  },
  "c-freed": {
    let p = doubles(8)
    p.deallocate()
    print(fault_read(p, zero))
  },
  "c-stack": { print(fault_stack(zero + 8)) },
  "c-overflow": { print(fault_sum(Int32.max, Int32(zero + 1))) },
  "c-shift": { print(fault_shift(1, Int32(zero + 32))) },
  "c-misaligned": {
    let p = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 16)
    p.initializeMemory(as: UInt8.self, repeating: 0, count: 64)
    print(fault_misaligned(p.assumingMemoryBound(to: CChar.self) + zero + 1))
    p.deallocate()
  },
  "c-race": {
    twoThreads { _ in for _ in 0..<1000 { fault_count() } }
    print(fault_counted())
  },
  "c-race-lanes": {
    twoLanes { _ in for _ in 0..<1000 { fault_count() } }
    print(fault_counted())
  },
  "c-race-vectors": {
    let p = doubles(12)
    let address = UInt(bitPattern: p)
    twoThreads { number in
      for _ in 0..<1000 {
        UnsafeMutablePointer<Double>(bitPattern: address).map { fault_write($0, 4 * number) }
      }
    }
    p.deallocate()
  },
  "c-leak": { for _ in 0..<10 { fault_lose(100) } },
  "swift-read": {
    let p = doubles(8)
    print(p[zero + 8])
    p.deallocate()
  },
  "swift-freed": {
    let p = doubles(8)
    p.deallocate()
    print(p[zero])
  },
  "swift-double-free": {
    let p = doubles(8)
    p.deallocate()
    if zero == 0 { p.deallocate() }
  },
  "swift-leak": { for _ in 0..<10 { doubles(100)[zero] = 2 } },
  "swift-cycle": {
    for i in 0..<10 {
      let (a, b) = (Node(), Node())
      (a.next, b.next) = (b, a)
      if i == 5 { print(ObjectIdentifier(a)) }
    }
  },
  "swift-race": {
    let box = Box()
    twoThreads { number in for i in 0..<1000 { box.value += i ^ number } }
    print(box.value)
  },
  "swift-race-lanes": {
    let box = Box()
    twoLanes { number in for i in 0..<1000 { box.value += i ^ number } }
    print(box.value)
  },
  "swift-race-relaxed": {
    // Published through an atomic that orders nothing.
    let (box, flag) = (Box(), Shared())
    twoThreads { number in
      if number == 0 {
        box.value = 7
        flag.isSet.store(true, ordering: .relaxed)
      } else {
        while !flag.isSet.load(ordering: .relaxed) { sched_yield() }
        print(box.value)
      }
    }
  },
]

final class Node { var next: Node? }

final class Shared: Sendable {
  let isSet = Atomic<Bool>(false)
  let sum = Mutex<[Int]>([])
}

/// What the thread sanitizer should understand.
let correct: [String: @Sendable () -> Void] = [
  "atomic": {
    let (box, flag) = (Box(), Shared())
    twoThreads { number in
      if number == 0 {
        box.value = 7
        flag.isSet.store(true, ordering: .releasing)
      } else {
        while !flag.isSet.load(ordering: .acquiring) { sched_yield() }
        print(box.value)
      }
    }
  },
  "mutex": {
    let shared = Shared()
    twoThreads { number in for i in 0..<100_000 { shared.sum.withLock { $0.append(i) } } }
    print(shared.sum.withLock { $0.count })
  },
  "condition": {
    let (box, condition) = (Box(), NSCondition())
    twoThreads { number in
      for i in 0..<1000 {
        condition.lock()
        box.array.append(i)
        condition.broadcast()
        condition.unlock()
      }
    }
    print(box.array.count)
  },
  "semaphore": {
    let (box, bell) = (Box(), DispatchSemaphore(value: 0))
    twoThreads { number in
      if number == 0 {
        box.array.append(1)
        bell.signal()
      } else {
        bell.wait()
        box.array.append(2)
      }
    }
    print(box.array.count)
  },
  "lanes": {
    // Results in memory of their own, read by the caller, written again by other threads.
    let p = doubles(1000)
    nonisolated(unsafe) let q = p
    for _ in 0..<100 {
      let next = Atomic<Int>(0)
      DispatchQueue.concurrentPerform(iterations: 4) { _ in
        while case let i = next.add(1, ordering: .relaxed).oldValue, i < 1000 { q[i] += Double(i) }
      }
      var sum = 0.0
      for i in 0..<1000 { sum += p[i] }
      p[0] = sum
    }
    print(p[0])
    p.deallocate()
  },
  "tasks": {
    let done = DispatchSemaphore(value: 0)
    Task.detached {
      let sums = await withTaskGroup(of: [Int].self) { group in
        for i in 0..<16 { group.addTask { (0..<1000).map { $0 * i } } }
        return await group.reduce(into: [[Int]]()) { $0.append($1) }
      }
      print(sums.joined().reduce(0, +))
      done.signal()
    }
    done.wait()
  },
]

@main enum Main {
  static func main() {
    let name = CommandLine.arguments.dropFirst().first ?? ""
    guard let body = faults[name] ?? correct[name] else {
      print((faults.keys.sorted() + correct.keys.sorted()).joined(separator: "\n"))
      exit(64)
    }
    body()
  }
}
