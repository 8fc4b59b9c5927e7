// Stands in for react-native-webrtc, which @libp2p/webrtc names as a dependency but uses in React Native only.
// It keeps some 600 packages (about 240 MB) out of the install; nothing in a browser or in Node imports it.
throw new Error('react-native-webrtc is not part of Sotto: this build is for browsers and Node')
