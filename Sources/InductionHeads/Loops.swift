// The loops that everything else is made of, with this module's names.

import CKernels

#if canImport(Glibc)
  import Glibc
#endif

/// The smallest multiple of a vector's eight lanes that is at least `count`.
func paddedToLanes(_ count: Int) -> Int { (count + 7) & ~7 }

/// ⟨x, y⟩ over `count` values.
@inline(__always)
func dot(_ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, _ count: Int) -> Double {
  gf_dot(x, y, count)
}

/// y = factor · x.
@inline(__always)
func scale(
  _ factor: Double, _ x: UnsafePointer<Double>, into y: UnsafeMutablePointer<Double>, _ count: Int
) {
  gf_scale(factor, x, y, count)
}

/// y += factor · x.
@inline(__always)
func addScaled(
  _ factor: Double, _ x: UnsafePointer<Double>, to y: UnsafeMutablePointer<Double>, _ count: Int
) {
  gf_add_scaled(factor, x, y, count)
}

/// z = x ⊙ y.
@inline(__always)
func multiply(
  _ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, into z: UnsafeMutablePointer<Double>,
  _ count: Int
) {
  gf_multiply(x, y, z, count)
}

/// z += x ⊙ y.
@inline(__always)
func addProduct(
  _ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, to z: UnsafeMutablePointer<Double>,
  _ count: Int
) {
  gf_add_product(x, y, z, count)
}

/// The instruction set that the loops run on.
public var kernelInstructionSet: String { String(cString: gf_instruction_set()) }

/// eˣ.
@inline(__always)
func exponential(_ x: Double) -> Double { exp(x) }

/// log x.
@inline(__always)
func logarithm(_ x: Double) -> Double { log(x) }
