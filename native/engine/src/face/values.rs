//! Typed arrays that a call fills, without a copy.

use napi::bindgen_prelude::{FromNapiValue, TypeName, ValidateNapiValue};
use napi::{Result, ValueType, sys};

macro_rules! filled {
    ($name:ident, $number:ty, $array:literal) => {
        #[doc = concat!("A ", $array, " of JavaScript's, for the length of a call.")]
        pub struct $name<'call>(pub &'call mut [$number]);

        impl FromNapiValue for $name<'_> {
            #[allow(unsafe_code)]
            unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> Result<Self> {
                // SAFETY: `env` and `value` are those of the call, as napi demands. The slice lives as long as the
                // call does: JavaScript's thread is here, so nothing else touches or moves the array's memory, and
                // every method takes one such array at most, so that no two slices can be of the same memory.
                unsafe { <&mut [$number]>::from_napi_value(env, value) }.map(Self)
            }
        }

        impl TypeName for $name<'_> {
            fn type_name() -> &'static str {
                $array
            }

            fn value_type() -> ValueType {
                ValueType::Object
            }
        }

        impl ValidateNapiValue for $name<'_> {}
    };
}

filled!(Bytes, u8, "Uint8Array");
filled!(Words, u32, "Uint32Array");
