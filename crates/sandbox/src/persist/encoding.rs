//! How bytes and secrets stand in saved JSON.
//!
//! Owns adapters for `#[serde(with = "…")]`: base64 for bytes of any owner, the exposed text for
//! secrets, the value for what is shared. Used for the
//! saved state only: nothing that answers a client goes through here.

/// Bytes as base64.
pub mod base64 {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD_NO_PAD;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    /// Writes bytes.
    ///
    /// # Errors
    /// The serialiser's.
    pub fn serialize<S: Serializer>(bytes: &impl AsRef<[u8]>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD_NO_PAD.encode(bytes.as_ref()))
    }

    /// Reads bytes.
    ///
    /// # Errors
    /// When the text is not base64 or has the wrong length.
    pub fn deserialize<'de, D: Deserializer<'de>, T: TryFrom<Vec<u8>>>(deserializer: D) -> Result<T, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let bytes = STANDARD_NO_PAD.decode(text.as_bytes()).map_err(D::Error::custom)?;
        T::try_from(bytes).map_err(|_| D::Error::custom("bytes of another length"))
    }
}

/// A shared value as the value itself.
pub mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    /// Writes the value.
    ///
    /// # Errors
    /// The value's.
    pub fn serialize<S: Serializer, T: Serialize>(shared: &Arc<T>, serializer: S) -> Result<S::Ok, S::Error> {
        shared.as_ref().serialize(serializer)
    }

    /// Reads a value that nobody shares yet.
    ///
    /// # Errors
    /// The value's.
    pub fn deserialize<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Arc<T>, D::Error> {
        T::deserialize(deserializer).map(Arc::new)
    }
}

/// A list of shared values.
pub mod shared_list {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    /// Writes the values.
    ///
    /// # Errors
    /// The values'.
    pub fn serialize<S: Serializer, T: Serialize>(list: &[Arc<T>], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(list.iter().map(AsRef::as_ref))
    }

    /// Reads values that nobody shares yet.
    ///
    /// # Errors
    /// The values'.
    pub fn deserialize<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
        deserializer: D,
    ) -> Result<Vec<Arc<T>>, D::Error> {
        Ok(Vec::<T>::deserialize(deserializer)?.into_iter().map(Arc::new).collect())
    }
}

/// A secret as its text.
pub mod secret {
    use secrecy::{ExposeSecret as _, SecretString};
    use serde::{Deserialize as _, Deserializer, Serializer};

    /// Writes a secret.
    ///
    /// # Errors
    /// The serialiser's.
    pub fn serialize<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.expose_secret())
    }

    /// Reads a secret.
    ///
    /// # Errors
    /// When there is no text.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
        String::deserialize(deserializer).map(SecretString::from)
    }
}

/// A secret that may be absent.
pub mod optional_secret {
    use secrecy::SecretString;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    /// Writes a secret or null.
    ///
    /// # Errors
    /// The serialiser's.
    pub fn serialize<S: Serializer>(secret: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
        secret
            .as_ref()
            .map(secrecy::ExposeSecret::expose_secret)
            .serialize(serializer)
    }

    /// Reads a secret or null.
    ///
    /// # Errors
    /// When there is something else than text.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.map(SecretString::from))
    }
}
