//! `#[boxed]` makes an `async fn` return its future in a box.
//!
//! The compiler translates the body of an `async fn` in every crate that awaits it, not in the one that declares it: without this,
//! the SQL of `control` was compiled once more in `service`, `http`, `app` and every test. A boxed future is compiled once, where it
//! stands. One allocation a call is nothing beside a statement or a question.

use proc_macro::TokenStream;
use quote::quote;
use syn::visit_mut::VisitMut;
use syn::{FnArg, GenericParam, ImplItemFn, Lifetime, ReturnType, Signature, Type, parse_macro_input, parse_quote};

/// On an `async fn` of an `impl` or a module: it returns a boxed future that may be sent between threads and holds its arguments.
#[proc_macro_attribute]
pub fn boxed(arguments: TokenStream, function: TokenStream) -> TokenStream {
    let mut function = parse_macro_input!(function as ImplItemFn);
    let refused = if !arguments.is_empty() {
        Some("`boxed` takes no arguments")
    } else if function.sig.asyncness.is_none() {
        Some("`boxed` is for `async fn`")
    } else {
        None
    };
    if let Some(why) = refused {
        return syn::Error::new_spanned(&function.sig, why).into_compile_error().into();
    }
    box_signature(&mut function.sig);
    let body = function.block;
    function.block = parse_quote!({ ::std::boxed::Box::pin(async move #body) });
    quote!(#function).into()
}

fn box_signature(signature: &mut Signature) {
    signature.asyncness = None;
    let mut naming = Naming::default();
    for argument in &mut signature.inputs {
        naming.visit_fn_arg_mut(argument);
    }
    let mut output: Type = match &signature.output {
        ReturnType::Default => parse_quote!(()),
        ReturnType::Type(_, output) => (**output).clone(),
    };
    // An elided lifetime of the output is the receiver's.
    let receiver = signature.inputs.first().and_then(|first| match first {
        FnArg::Receiver(receiver) => receiver.lifetime().cloned(),
        FnArg::Typed(_) => None,
    });
    if let Some(receiver) = receiver {
        Filling(receiver).visit_type_mut(&mut output);
    }
    let held: Vec<Lifetime> = signature.generics.lifetimes().map(|parameter| parameter.lifetime.clone()).collect();
    let types: Vec<_> = signature.generics.type_params().map(|parameter| parameter.ident.clone()).collect();
    let (new, named) = (naming.new, naming.named);
    let params = &mut signature.generics.params;
    for (at, lifetime) in new.iter().enumerate() {
        params.insert(at, GenericParam::Lifetime(parse_quote!(#lifetime)));
    }
    params.insert(0, parse_quote!('held));
    let bounds = signature.generics.make_where_clause();
    for lifetime in new.iter().chain(&held).chain(named.iter().filter(|named| !held.contains(named))) {
        bounds.predicates.push(parse_quote!(#lifetime: 'held));
    }
    for parameter in types {
        bounds.predicates.push(parse_quote!(#parameter: 'held));
    }
    signature.output = parse_quote! {
        -> ::std::pin::Pin<::std::boxed::Box<dyn ::std::future::Future<Output = #output> + ::std::marker::Send + 'held>>
    };
}

/// Gives the elided lifetimes of arguments names.
#[derive(Default)]
struct Naming {
    new: Vec<Lifetime>,
    /// Those that have names, of the function or of its `impl`.
    named: Vec<Lifetime>,
}

impl Naming {
    fn name(&mut self) -> Lifetime {
        let lifetime = Lifetime::new(&format!("'held_{}", self.new.len()), proc_macro::Span::call_site().into());
        self.new.push(lifetime.clone());
        lifetime
    }

    fn meet(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident == "_" {
            *lifetime = self.name();
        } else if lifetime.ident != "static" && !self.named.contains(lifetime) {
            self.named.push(lifetime.clone());
        }
    }
}

impl VisitMut for Naming {
    fn visit_receiver_mut(&mut self, receiver: &mut syn::Receiver) {
        if let Some((_, lifetime)) = &mut receiver.reference {
            let named = lifetime.get_or_insert_with(|| self.name()).clone();
            if let Type::Reference(reference) = &mut *receiver.ty {
                reference.lifetime = Some(named);
            }
        }
    }

    fn visit_type_reference_mut(&mut self, reference: &mut syn::TypeReference) {
        match &mut reference.lifetime {
            Some(lifetime) => self.meet(lifetime),
            None => reference.lifetime = Some(self.name()),
        }
        self.visit_type_mut(&mut reference.elem);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        self.meet(lifetime);
    }
}

/// Gives the elided lifetimes of an output this name.
struct Filling(Lifetime);

impl VisitMut for Filling {
    fn visit_type_reference_mut(&mut self, reference: &mut syn::TypeReference) {
        reference.lifetime.get_or_insert_with(|| self.0.clone());
        self.visit_type_mut(&mut reference.elem);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident == "_" {
            *lifetime = self.0.clone();
        }
    }
}
