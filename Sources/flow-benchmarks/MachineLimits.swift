import CKernels
import ParallelLoops

/// What this machine can do at best on some threads, measured.
struct MachineLimits {
  /// Floating-point operations per second of fused multiply–adds in registers.
  let flops: Double
  /// Bytes per second of x = y + a z over arrays that no cache holds.
  let bandwidth: Double

  /// Measures for a few tenths of a second, the best of five rounds each.
  init(threads: Int) {
    let rounds = 2_000_000
    let compute = Self.best {
      forEachLane(threads, threads: threads) { _ in
        // A sum that is not a number cannot come out; what is computed must be used.
        precondition(!gf_multiply_add_rounds(rounds).isNaN)
      }
    }
    flops = Double(threads * rounds * 16 * 8 * 2) / compute
    let count = 8 << 20
    let arrays = (0..<3).map { _ in
      UnsafeMutableBufferPointer<Double>.allocate(capacity: threads * count)
    }
    defer { for array in arrays { array.deallocate() } }
    for array in arrays { array.initialize(repeating: 1) }
    let pointers = arrays.compactMap(\.baseAddress)
    let copy = Self.best {
      forEachLane(threads, threads: threads) { lane in
        gf_triad(
          0.5, pointers[0] + lane * count, pointers[1] + lane * count,
          pointers[2] + lane * count, count)
      }
    }
    bandwidth = Double(threads * count * 24) / copy
  }

  /// Seconds of the fastest of five.
  private static func best(_ body: () -> Void) -> Double {
    (0..<5).map { _ in milliseconds(body) / 1e3 }.min() ?? .nan
  }
}
